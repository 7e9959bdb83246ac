# The Cloud Run job: R (Debian's, plus Robyn where CRAN answers) and the Python that runs it.
# Build from the repository's root: `docker build -f docker/job.Dockerfile .`, or without Docker
# `docker/build-local.sh`. BASE may be any image with Debian 12's packages (Python 3.11, R 4.2).
ARG BASE=docker.io/library/debian:bookworm-slim

# What runs: R with Debian's packages, Python, fonts for plots, an init that forwards signals.
# hadolint ignore=DL3006
FROM ${BASE} AS runtime
ENV DEBIAN_FRONTEND=noninteractive
COPY docker/dpkg-slim /etc/dpkg/dpkg.cfg.d/slim
COPY docker/dpkg-architecture /usr/local/bin/dpkg-architecture
COPY r/debian-packages.txt docker/robyn-debian-packages.txt /tmp/
# Versions are not pinned: Debian stable changes them for security only, and the base is pinned by
# its digest; the manifest of every run records what is installed.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get upgrade --yes \
    && grep --no-filename '^r-cran-' /tmp/debian-packages.txt /tmp/robyn-debian-packages.txt \
        > /tmp/packages.txt \
    && sed --in-place '/^r-cran-\(lintr\|testthat\)$/d' /tmp/packages.txt \
    && xargs --arg-file=/tmp/packages.txt apt-get install --yes --no-install-recommends \
        ca-certificates \
        fonts-dejavu-core \
        fonts-liberation \
        libpython3.11 \
        python3.11-minimal \
        python3 \
        r-base-core \
        tini \
        tzdata \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /tmp/* /usr/lib/R/doc/manual

# The Python environment: wheels only, every one by its hash.
FROM runtime AS python
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv
COPY job/requirements.txt /tmp/requirements.txt
ARG PIP_CERT
RUN python3.11 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: \
        --requirement /tmp/requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip setuptools \
    && find /opt/venv -type d \( -name tests -o -name test \) -path '*/pyarrow/*' -prune \
        -exec rm -rf {} +

# Robyn from a dated CRAN snapshot; only here are there compilers. Without CRAN the library stays
# empty but for robyn.json, which says why, and the job uses its builtin engine.
# hadolint ignore=DL3006
FROM ${BASE} AS robyn
ENV DEBIAN_FRONTEND=noninteractive
COPY docker/robyn-debian-packages.txt /tmp/
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl r-base-dev \
    && xargs --arg-file=/tmp/robyn-debian-packages.txt \
        apt-get install --yes --no-install-recommends
COPY docker/install-robyn.R docker/robyn.lock /tmp/
ARG CRAN=https://packagemanager.posit.co/cran/{snapshot},https://cloud.r-project.org
ARG CURL_CA_BUNDLE
RUN Rscript /tmp/install-robyn.R --library=/opt/r-library --cran="${CRAN}" --timeout=60

FROM runtime
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="mmm-trainer job" \
      org.opencontainers.image.description="Trains a marketing mix model and writes its artifacts" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin mmm
COPY --from=robyn /opt/r-library /opt/r-library
COPY --from=python /opt/venv /opt/venv
COPY contract /app/contract
COPY job /app/job
COPY r /app/r
COPY examples /app/examples
RUN /opt/venv/bin/python -m compileall -q /app/contract /app/job
# R's parallel stops at two processes where `_R_CHECK_LIMIT_CORES_` is set; cores come from the
# job's configuration. reticulate uses the job's own Python.
ENV LANG=C.UTF-8 \
    TZ=UTC \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RETICULATE_PYTHON=/opt/venv/bin/python \
    R_LIBS=/opt/r-library \
    _R_CHECK_LIMIT_CORES_=false
WORKDIR /app
USER 10001
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/venv/bin/python", "-m", "job"]
