# The image of weft for people with Docker: docker build -t weft/weft:0.1.0 .
# `make images` makes the same without Docker; what stands in it is decided in one place, src/build/root-file-system.ts.

# Keep equal to toolVersions in src/runtime/tool-recipes.ts (tested).
ARG ENVOY_VERSION=1.40.0
FROM envoyproxy/envoy:v${ENVOY_VERSION} AS envoy

FROM node:24-bookworm-slim AS build
RUN apt-get update -q && apt-get install -q -y --no-install-recommends iptables iproute2 && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
COPY --from=envoy /usr/local/bin/envoy /usr/local/bin/envoy
RUN node src/build/bundle.ts \
  && node src/build/images.ts --root-file-system /root-file-system.tar \
  && mkdir /root-file-system \
  && tar -C /root-file-system -xf /root-file-system.tar

# No shell, no package manager: programs, their libraries, weft.
FROM scratch
COPY --from=build /root-file-system/ /
ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
USER 1337:1337
WORKDIR /
ENTRYPOINT ["weft"]
