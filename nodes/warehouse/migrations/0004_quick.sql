-- The last place in the line, without looking at all jobs.
CREATE UNIQUE INDEX job_by_place ON job (place);
