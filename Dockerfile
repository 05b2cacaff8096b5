# The environment of the workflow: docker build -t reranksmart . && docker run --rm -v "$PWD/results:/reranksmart/results" reranksmart
FROM python:3.11-slim-bookworm

WORKDIR /reranksmart
COPY requirements.lock .
RUN pip install --no-cache-dir --requirement requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .

CMD ["snakemake", "--cores", "all"]
