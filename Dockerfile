# The image of zonalbatch: a runner, a scheduler, a worker or a service, by the arguments it is given.
#
#   docker build -t zonalbatch .
#   docker run --read-only --tmpfs /tmp -v "$PWD:/data" zonalbatch zonalbatch run /data/job.yaml
#
# For ARM: --build-arg NUMBA_CPU_NAME=generic --build-arg NUMBA_CPU_FEATURES=+neon,+fp-armv8

# Of the Pythons that the pins fit, the newest that the tests were run on.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS base
# GDAL in rasterio's wheel brings all that it needs but this.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libexpat1 \
 && rm -rf /var/lib/apt/lists/*
# Both are part of the key under which numba keeps code, so both are fixed. x86-64-v3 is what
# processors have since Intel's Haswell (2013) and AMD's Excavator (2015).
ARG NUMBA_CPU_NAME=x86-64-v3
ARG NUMBA_CPU_FEATURES=+avx,+avx2,+bmi,+bmi2,+cmov,+crc32,+cx16,+cx8,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,+popcnt,+sahf,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave
ENV NUMBA_CPU_NAME=${NUMBA_CPU_NAME} \
    NUMBA_CPU_FEATURES=${NUMBA_CPU_FEATURES} \
    NUMBA_CACHE_DIR=/tmp/numba \
    PATH=/opt/zonalbatch/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1

FROM base AS builder
WORKDIR /build
RUN python -m venv /opt/zonalbatch
COPY constraints.txt ./
RUN python -m pip install --no-cache-dir -c constraints.txt pip
COPY pyproject.toml README.md LICENSE ./
COPY zonalbatch zonalbatch
RUN python -m pip wheel --no-deps --build-constraint constraints.txt --wheel-dir dist .
RUN python -m pip install --no-cache-dir -c constraints.txt --build-constraint constraints.txt \
    "$(echo dist/*.whl)[clusters,service,tiles,wcs,zarr]" \
 && python -m pip check
# Not here, where the sources lie: kernels belong to the path of the package that is installed.
WORKDIR /tmp
RUN NUMBA_CACHE_DIR=/opt/zonalbatch/kernels python -m zonalbatch.precompiled
WORKDIR /build
COPY --chmod=755 helm/image/entrypoint helm/image/health /opt/zonalbatch/

FROM base
LABEL org.opencontainers.image.title="zonalbatch" \
      org.opencontainers.image.description="Exact zonal statistics of many zones over many raster scenes, spread over a Dask cluster" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# What zonalbatch sets itself in the processes that read (sources/gdal.py), for whatever else of
# GDAL runs here. Not GDAL_DISABLE_READDIR_ON_OPEN: files beside local rasters are looked for.
ENV GDAL_CACHEMAX=64 \
    VSI_CACHE=FALSE \
    CPL_VSIL_CURL_CACHE_SIZE=16777216 \
    GDAL_HTTP_MERGE_CONSECUTIVE_RANGES=YES \
    GDAL_HTTP_MULTIPLEX=YES \
    GDAL_HTTP_VERSION=2TLS \
    GDAL_HTTP_MAX_RETRY=0 \
    GDAL_HTTP_CONNECTTIMEOUT=10 \
    GDAL_HTTP_LOW_SPEED_TIME=10 \
    GDAL_HTTP_LOW_SPEED_LIMIT=1 \
    GDAL_HTTP_TIMEOUT=60 \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1
COPY --from=builder /opt/zonalbatch /opt/zonalbatch
USER 1000:1000
WORKDIR /tmp
# Kubernetes has probes of its own and does not look at this.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["/opt/zonalbatch/health"]
ENTRYPOINT ["/opt/zonalbatch/entrypoint"]
CMD ["zonalbatch", "--help"]
