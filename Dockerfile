# syntax=docker/dockerfile:1
# Not built or run by the project's own tests: those read it as data.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/warmline
COPY requirements.lock ./
RUN /opt/warmline/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY . .
RUN /opt/warmline/bin/pip install --no-cache-dir --no-deps --no-build-isolation --no-index .

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/warmline --create-home warmline
COPY --from=build /opt/warmline /opt/warmline
USER warmline
ENV PATH=/opt/warmline/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WARMLINE_HOST=0.0.0.0 \
    WARMLINE_DATA_DIR=/var/lib/warmline
EXPOSE 8080
ENTRYPOINT ["warmline"]
CMD ["serve"]
