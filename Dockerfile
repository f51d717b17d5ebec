FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements.lock requirements-build.lock ./
# The environment is filled from outside, so that it carries no installer of its own.
RUN python -m venv --without-pip /opt/writeback \
 && python -m pip --python /opt/writeback/bin/python install --no-cache-dir --require-hashes -r requirements.lock
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md ./
COPY worker worker
COPY sql sql
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /dist . \
 && python -m pip --python /opt/writeback/bin/python install --no-cache-dir --no-deps --no-index /dist/*.whl

FROM python:3.13-slim
# The user has an entry in the password file, because the embedded PostgreSQL looks itself up there.
RUN useradd --system --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin writeback \
 && install -d -o writeback -g writeback -m 0700 /data
COPY --from=build /opt/writeback /opt/writeback
ENV PATH=/opt/writeback/bin:$PATH \
    HOST=0.0.0.0 \
    PORT=8080 \
    WRITEBACK_DATA_DIR=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER writeback
WORKDIR /data
# Only used without DATABASE_URL; everything else may be mounted read-only.
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=8s --start-period=60s --retries=3 CMD ["writeback", "healthcheck"]
ENTRYPOINT ["writeback"]
CMD ["serve"]
