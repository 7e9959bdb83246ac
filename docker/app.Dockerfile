# The console: Debian's Python and the packages of app/requirements.txt. It has no R, because it trains
# nothing. Build from the root of the repository:
# `docker build --platform linux/amd64 -f docker/app.Dockerfile .` BASE is explained in docker/Dockerfile.
ARG BASE=docker.io/library/debian@sha256:3a39a0592364683e6bab97937b72cad5a8fa6dcbbee90edb3bb48c7f8e94f258

# hadolint ignore=DL3006
FROM ${BASE} AS runtime
ENV DEBIAN_FRONTEND=noninteractive
COPY docker/dpkg-slim /etc/dpkg/dpkg.cfg.d/slim
# Versions are not pinned: the base is, by its digest, and Debian stable changes them only for security.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get upgrade --yes \
    && apt-get install --yes --no-install-recommends ca-certificates python3 tini tzdata \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /tmp/*

# Only wheels, each checked by its hash. setuptools, which builds the project, is Debian's.
FROM runtime AS packages
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-setuptools python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY app/requirements.txt /tmp/
ARG PIP_CERT
RUN python3.13 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: \
        --requirement /tmp/requirements.txt

FROM packages AS project
COPY LICENSE README.md pyproject.toml /src/
COPY contract /src/contract
COPY job /src/job
COPY mmm /src/mmm
COPY trigger /src/trigger
RUN PYTHONPATH=/usr/lib/python3/dist-packages /opt/venv/bin/pip install --no-cache-dir --no-index \
        --no-deps --no-build-isolation --prefix=/opt/project /src

FROM runtime
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin mmm
COPY --from=packages /opt/venv /opt/venv
COPY --from=project /opt/project /opt/venv
COPY app /app/app
ENV LANG=C.UTF-8 \
    TZ=UTC \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /app
RUN python -c "import app.actions, app.frame, app.mapping, app.reads, app.source"
ARG BASE
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mmm-trainer console" \
      org.opencontainers.image.description="Shows and starts runs in a browser" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE}" \
      org.opencontainers.image.revision="${REVISION}"
USER 10001
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/venv/bin/python", "-m", "app"]
