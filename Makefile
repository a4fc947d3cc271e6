# What a newcomer types: make run, make test. Everything else is for who changes the code.
PYTHON ?= python3
PORT ?= 8000
PY = .venv/bin/python
export DEBUG ?= on

.PHONY: run test check bench format lock help

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# make run     the site with demo content on http://127.0.0.1:8000 (PORT= moves it)
run: .venv/installed
	@exec $(PY) manage.py run --port $(PORT)

# make test    the whole suite, on SQLite; THOROUGH=1 repeats tests of chance as often as promised
test: .venv/installed-dev
	$(PY) -m pytest -n 4 --dist loadgroup -q $(ARGS)

# make check   lint, types, templates, imports, migrations, deployment settings
check: .venv/installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/djlint templates donations/sandbox --lint --quiet
	.venv/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	env -u DEBUG SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))') \
	  ALLOWED_HOSTS=www.example.org SITE_URL=https://www.example.org EMAIL_URL=smtp://127.0.0.1:25 \
	  DEFAULT_FROM_EMAIL=hello@example.org STRIPE_SECRET_KEY=sk_live_check STRIPE_WEBHOOK_SECRET=whsec_check \
	  $(PY) manage.py check --deploy --fail-level WARNING

# make bench   figures beside their peers or limits; ONLY=photos.page picks those that begin so
bench: .venv/installed-dev
	@$(PY) -m tests.bench

# make format  put the code into the house's form
format: .venv/installed-dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# make lock    requirements.in and requirements-dev.in to hashed requirements files
lock: .venv/installed-dev
	.venv/bin/pip-compile -q --generate-hashes --strip-extras --no-header --allow-unsafe \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.txt requirements.in
	.venv/bin/pip-compile -q --generate-hashes --strip-extras --no-header --allow-unsafe \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements-dev.txt requirements-dev.in

.venv/installed: requirements.txt
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "Installing what the site runs on (once, about 20 seconds) …"
	@$(PY) -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@echo "Installing what the tests need (once) …"
	@$(PY) -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
