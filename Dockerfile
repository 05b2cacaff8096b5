# The environment of the workflow: docker build -t reranksmart . && docker run --rm -v "$PWD/results:/reranksmart/results" reranksmart
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends dpkg make \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /reranksmart
COPY requirements.lock .
RUN pip install --no-cache-dir --requirement requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .

CMD ["snakemake", "--cores", "all"]
