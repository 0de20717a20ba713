# Every target sets up what it needs: one virtual environment, made once and made anew when the requirements change.
VENV ?= .venv
PYTHON ?= python3
DOCKER ?= docker
IMAGE ?= relabel
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One thread per test process: the tests run side by side.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

.PHONY: demo test test-image test-mlflow test-faults lint format readme bench bench-serving lock sbom scan clean

demo: $(READY)  ## plant label errors, run the whole job, show what it found
	$(BIN)/relabel demo

test: $(READY)  ## all tests but the image's and the long faults
	$(PYTEST) -m "not image and not faults"

test-image: $(READY) $(VENV)-sdk-v2/.ready $(VENV)-sdk-v3/.ready  ## build the container image, train and serve with it (needs a Docker engine)
	SDK_V2_PYTHON=$(abspath $(VENV)-sdk-v2/bin/python) SDK_V3_PYTHON=$(abspath $(VENV)-sdk-v3/bin/python) $(PYTEST) -n 0 -rs -m "image or sdk"

test-mlflow: $(READY) $(VENV)-mlflow/.ready  ## models from MLflow itself, where the other tests have a stand-in
	MLFLOW_PYTHON=$(abspath $(VENV)-mlflow/bin/python) $(PYTEST) -n 0 -m mlflow

test-faults: $(READY)  ## kills spread over a whole job, in their long form
	$(PYTEST) -m faults

lint: $(READY)  ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

readme: $(READY)  ## put the settings' tables into the pages anew
	$(BIN)/python -c "import re, pathlib, relabel.settings as s; \
	[page.write_text(re.sub(r'\| setting \|.*?\n\n', lambda _: s.markdown(settings) + '\n\n', page.read_text(), flags=re.DOTALL)) \
	for page, settings in ((pathlib.Path('README.md'), s.TrainSettings), (pathlib.Path('docs/serving.md'), s.ServeSettings))]"

bench: $(READY)  ## the figures of benchmarks/RESULTS.md
	$(BIN)/python benchmarks/training.py

bench-serving: $(READY) $(VENV)-peers/.ready  ## the endpoint beside others, and a million requests (needs wrk)
	$(BIN)/python benchmarks/serving.py --peers-python $(VENV)-peers/bin/python
	$(BIN)/python benchmarks/endurance.py

lock:  ## resolve what the image holds anew
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	docker/lock.sh $(VENV)-lock/bin/uv

sbom:  ## bill of materials of a built image: make sbom IMAGE=relabel
	$(PYTHON) -m venv $(VENV)-sbom
	$(VENV)-sbom/bin/pip install --quiet cyclonedx-bom
	mkdir -p build
	$(DOCKER) run --rm --network none $(IMAGE) pip3 freeze --all >build/packages.txt
	$(VENV)-sbom/bin/cyclonedx-py requirements build/packages.txt --output-reproducible --output-format JSON --output-file build/sbom.json

scan:  ## known vulnerabilities of what the image holds; fails where a package cannot be looked up
	$(PYTHON) -m venv $(VENV)-scan
	$(VENV)-scan/bin/pip install --quiet pip-audit
	$(VENV)-scan/bin/pip-audit --strict --disable-pip --requirement docker/requirements.txt
	$(VENV)-scan/bin/pip-audit --strict --disable-pip --requirement docker/requirements-text.txt

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,serve,text,dev]'
	touch $(READY)

$(VENV)-sdk-%/.ready: local_test/requirements-sdk-%.txt
	$(PYTHON) -m venv $(VENV)-sdk-$*
	$(VENV)-sdk-$*/bin/pip install --quiet --requirement $<
	touch $@

$(VENV)-mlflow/.ready: local_test/requirements-mlflow.txt
	$(PYTHON) -m venv $(VENV)-mlflow
	$(VENV)-mlflow/bin/pip install --quiet --requirement $<
	touch $@

$(VENV)-peers/.ready: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/pip install --quiet --requirement $<
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-* build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
