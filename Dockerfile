# One recipe for every service of our own: docker build --build-arg SERVICE=worker .

FROM python:3.13-slim-trixie AS build
ARG SERVICE
WORKDIR /build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
COPY requirements/build.lock requirements/
# uv stays in this stage: the final image needs neither it nor pip.
RUN --mount=type=cache,target=/root/.cache \
    python3 -m venv /tools && /tools/bin/pip install --quiet --require-hashes -r requirements/build.lock
RUN python3 -m venv --without-pip /app
ENV VIRTUAL_ENV=/app PATH=/tools/bin:$PATH
# The dependencies are a layer of their own, which a change to our code leaves as it is.
COPY requirements/$SERVICE.lock requirements/
RUN --mount=type=cache,target=/root/.cache \
    uv pip install --quiet --require-hashes -r requirements/$SERVICE.lock
COPY packages packages
COPY services/$SERVICE services/$SERVICE
# The packages of ours that the service asks for, and no others.
RUN uv pip install --quiet --no-deps --build-constraints requirements/build.lock ./services/$SERVICE \
      $(sed -nE 's|^ +"darkroom-([a-z]+)[]["a-z0-9,]*,$|./packages/\1|p' services/$SERVICE/pyproject.toml)
# What is under another licence than the rest, and so in no lock: EXTRAS=heic for whoever inspects images.
ARG EXTRAS=
RUN --mount=type=cache,target=/root/.cache \
    if [ -n "$EXTRAS" ]; then uv pip install --quiet "darkroom-imaging[$EXTRAS]"; fi

FROM python:3.13-slim-trixie
# A fixed id, so that the volumes that services share belong to one user; the folder is made here because a new
# volume takes over the owner of the folder it is mounted on.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin darkroom \
    && install -d -o darkroom -g darkroom /data
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DARKROOM_STORAGE_DIR=/data
USER darkroom
