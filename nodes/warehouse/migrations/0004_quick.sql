-- The last place in the line, without looking at all jobs.
CREATE UNIQUE INDEX job_by_place ON job (place);
-- The goods of a job that are to be put back.
CREATE INDEX goods_return_by_job ON goods_return (job);
