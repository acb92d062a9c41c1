# Storebus: every command sets up .venv by itself from exact versions.
PYTHON ?= python3
BIN := .venv/bin

SEEDS ?= 1000
SAMPLE ?= 0
SEED ?= 1
ONLY ?= *

.PHONY: run test setup demo check format faults simulate causes planted mutants bench bench-console \
  bench-alarms load screenshots examples test-bare clean

# make run PORT=0 takes a free port, PORT=1884 that one.
run: setup
	@$(BIN)/storebus up $(if $(PORT),--port $(PORT))

# Two processes a core, since much of it is waiting; each has brokers of its own, and the quicker
# takes over from the slower. Hundreds more are started by tests: what Python made of the
# modules is kept for them, also where the environment says otherwise.
test: export PYTHONDONTWRITEBYTECODE =
test: setup
	$(BIN)/python -m pytest --dist worksteal \
	  --numprocesses $$($(BIN)/python -c 'import os; print(2 * os.cpu_count())')

# The README's promises on a bare Debian, as an ordinary user; needs root and debootstrap.
test-bare:
	tests/bare/run

demo: setup
	$(BIN)/storebus demo

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

faults: setup
	STOREBUS_FAULTS=long $(BIN)/python -m pytest tests/faults

simulate: setup
	$(BIN)/python -m simulation --seeds $(SEEDS)

causes: setup
	$(BIN)/python -m simulation --causes

planted: setup
	$(BIN)/python -m simulation --planted

# All of them take hours; SAMPLE=50 minutes; ONLY='nodes/*/domain.py' those of some files.
mutants: setup
	$(BIN)/python tests/mutants/run.py --sample $(SAMPLE) --seed $(SEED) --only '$(ONLY)'

bench: setup
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.photo
	$(BIN)/python -m benchmarks.console --seconds 20
	$(BIN)/python -m benchmarks.kiosk
	$(BIN)/python -m benchmarks.web

bench-console: setup
	$(BIN)/python -m benchmarks.console --seconds 600

# ten minutes of orders beside a console: what it raises
bench-alarms: setup
	$(BIN)/python -m benchmarks.alarms

load: setup
	$(BIN)/python -m benchmarks.load

screenshots: setup
	PYTHONPATH=tests $(BIN)/python tests/ui/screenshots.py

# What the examples in other people's libraries need, each in a folder of its own.
EXAMPLES := examples/devices
examples: $(EXAMPLES)/asyncio-mqtt/.venv/ready $(EXAMPLES)/mqtt-js/node_modules/ready

$(EXAMPLES)/asyncio-mqtt/.venv/ready: $(EXAMPLES)/asyncio-mqtt/requirements.txt
	$(call new_environment,$(@D))
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(EXAMPLES)/mqtt-js/node_modules/ready: $(EXAMPLES)/mqtt-js/package.json
	cd $(<D) && npm install --no-package-lock --no-audit --no-fund --silent
	@touch $@

setup: .venv/ready

# Debian's python3 may lack ensurepip: then the pip that is there fills the environment.
new_environment = @$(PYTHON) -m venv $(1) >/dev/null 2>&1 || { rm -rf $(1) \
  && $(PYTHON) -m venv --without-pip $(1) \
  && $(PYTHON) -m pip --python $(1)/bin/python install --quiet pip; }

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Storebus needs Python 3.11 or newer; try: make PYTHON=python3.11"; exit 2; }
	@echo "Setting up .venv, once; it takes a minute."
	$(call new_environment,.venv)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf .venv build *.egg-info
