# Every target sets up what it needs: one virtual environment, made once and made anew when the requirements change.
VENV ?= .venv
PYTHON ?= python3
DOCKER ?= docker
IMAGE ?= relabel
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One thread per test process: the tests run side by side.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

.PHONY: demo test test-pages test-image test-mlflow test-faults faults lint audit format readme pictures pictures-mlflow bench bench-report bench-serving bench-gpu lock sbom scan clean

demo: $(READY)  ## plant label errors, run the whole job, show what it found
	$(BIN)/relabel demo

test: $(READY)  ## all tests but those of the pages in a browser, the image's and the long faults
	$(PYTEST) -m "not image and not faults and not pages"

test-pages: $(READY)  ## the report and the review page in Chromium, which is installed where none runs
	chromium=$$($(BIN)/python tests/pages/chromium.py --install) && CHROMIUM="$$chromium" $(PYTEST) -m pages

test-image: $(READY) $(VENV)-sdk-v2/.ready $(VENV)-sdk-v3/.ready  ## build the container image, train and serve with it (needs a Docker engine)
	chromium=$$($(BIN)/python tests/pages/chromium.py --install) && CHROMIUM="$$chromium" \
	SDK_V2_PYTHON=$(abspath $(VENV)-sdk-v2/bin/python) SDK_V3_PYTHON=$(abspath $(VENV)-sdk-v3/bin/python) $(PYTEST) -n 0 -rs -m "image or sdk"

test-mlflow: $(READY) $(VENV)-mlflow/.ready  ## models from MLflow itself, and jobs that it tracks, where the other tests have a stand-in
	MLFLOW_PYTHON=$(abspath $(VENV)-mlflow/bin/python) $(PYTEST) -n 0 -m mlflow

test-faults: $(READY)  ## what can befall a job and an endpoint, in short: some faults of each kind
	$(PYTEST) -m faults --ignore tests/job/test_kills.py --ignore tests/serving/test_faults.py
	$(PYTEST) -n 0 -m faults tests/serving/test_faults.py  # alone: it holds the endpoint to seconds

faults: $(READY)  ## the whole of it: hundreds of faults, a long job killed twenty times, an endpoint under load for a quarter of an hour
	$(BIN)/python benchmarks/job_faults
	$(BIN)/python benchmarks/serving_faults.py
	$(PYTEST) -n 0 -s -m faults tests/job/test_kills.py

lint: $(READY)  ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: $(VENV)-audit/.ready  ## what bandit finds beyond .ci/bandit.toml, and known vulnerabilities where they can be looked up
	$(VENV)-audit/bin/python .ci/audit.py

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

readme: $(READY)  ## put the settings' tables into the pages anew
	$(BIN)/python -c "import re, pathlib, relabel.settings as s; \
	[page.write_text(re.sub(r'\| setting \|.*?\n\n', lambda _: s.markdown(settings) + '\n\n', page.read_text(), flags=re.DOTALL)) \
	for page, settings in ((pathlib.Path('README.md'), s.TrainSettings), (pathlib.Path('docs/serving.md'), s.ServeSettings))]"

pictures: $(READY)  ## the pictures of the pages in docs/pictures, taken anew
	chromium=$$($(BIN)/python tests/pages/chromium.py --install) && CHROMIUM="$$chromium" $(BIN)/python tests/pages/pictures.py

pictures-mlflow: $(READY) $(VENV)-mlflow/.ready  ## those of docs/tracking.md, from MLflow's own server
	chromium=$$($(BIN)/python tests/pages/chromium.py --install) && CHROMIUM="$$chromium" MLFLOW_PYTHON=$(abspath $(VENV)-mlflow/bin/python) \
	$(BIN)/python tests/pages/tracking_pictures.py

bench: $(READY)  ## the figures of benchmarks/RESULTS.md
	$(BIN)/python benchmarks/training.py

bench-report: $(READY)  ## what the report of 80,000 rows costs, and when it can be used (needs Chromium)
	$(BIN)/python benchmarks/report.py

bench-serving: $(READY) $(VENV)-peers/.ready  ## the endpoint beside others, and a million requests (needs wrk)
	$(BIN)/python benchmarks/serving.py --peers-python $(VENV)-peers/bin/python
	$(BIN)/python benchmarks/endurance.py

bench-gpu: $(READY)  ## what a GPU does with the steps of a fit; says so where there is none
	$(BIN)/python benchmarks/gpu.py

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
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,serve,text,umap,aws,mlflow,dev]'
	touch $(READY)

$(VENV)-sdk-%/.ready: local_test/requirements-sdk-%.txt
	$(PYTHON) -m venv $(VENV)-sdk-$*
	$(VENV)-sdk-$*/bin/pip install --quiet --requirement $<
	touch $@

$(VENV)-mlflow/.ready: local_test/requirements-mlflow.txt
	$(PYTHON) -m venv $(VENV)-mlflow
	$(VENV)-mlflow/bin/pip install --quiet --requirement $<
	touch $@

$(VENV)-audit/.ready: .ci/requirements-audit.txt
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/pip install --quiet --requirement $<
	touch $@

$(VENV)-peers/.ready: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/pip install --quiet --requirement $<
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-* build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
