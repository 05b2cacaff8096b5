# Indexes beyond the memory of one job, where the configuration asks for it (`shards`): lists that are learned from a
# sample, filled by several jobs, joined on the disk and searched there. Results are those of one job.

FILLINGS = arrays.Array(CONFIG, "index")


rule train_index:
    input:
        embeddings=lambda wildcards: models.embedding_folders(wildcards),
        data=lambda wildcards: names.gallery_folders("results/data", wildcards.gallery),
    output:
        temp(
            directory(
                "results/indexes/{backbone}/{training_set}/{objective}/seed{seed}/{gallery}.shards/trained"
            )
        ),
    log:
        "results/logs/train_index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/train_index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.index > 1),
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(CONFIG, "train_index", wildcards),
        runtime=60,
    params:
        inputs=names.given,
        settings=lambda wildcards: names.gallery_reading_settings(
            CONFIG, wildcards.backbone, wildcards.gallery
        ),
        factory=CONFIG.index,
        code=code_digest("train-index"),
    shell:
        "reranksmart train-index {params.inputs} --gallery {wildcards.gallery} --factory {params.factory:q}"
        " --backbone-settings {params.settings:q} --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule fill_index:
    input:
        trained="results/indexes/{backbone}/{training_set}/{objective}/seed{seed}/{gallery}.shards/trained",
        embeddings=lambda wildcards: models.embedding_folders(wildcards),
        data=lambda wildcards: names.gallery_folders("results/data", wildcards.gallery),
    output:
        temp(
            directory(
                "results/indexes/{backbone}/{training_set}/{objective}/seed{seed}/{gallery}.shards/{shard}"
            )
        ),
    log:
        "results/logs/fill_index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.{shard}.log",
    benchmark:
        "results/benchmarks/fill_index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.{shard}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.index > 1),
    priority: 40
    retries: 2
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=FILLINGS.memory_mb,
        runtime=60,
    params:
        inputs=names.given,
        settings=lambda wildcards: names.gallery_reading_settings(
            CONFIG, wildcards.backbone, wildcards.gallery
        ),
        shards=CONFIG.shards.index,
        code=code_digest("fill-index"),
    shell:
        "reranksmart fill-index {params.inputs} --gallery {wildcards.gallery} --backbone-settings {params.settings:q}"
        " --shard {wildcards.shard} --shards {params.shards}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule merge_index:
    input:
        trained="results/indexes/{backbone}/{training_set}/{objective}/seed{seed}/{gallery}.shards/trained",
        shards=expand(
            "results/indexes/{{backbone}}/{{training_set}}/{{objective}}/seed{{seed}}/{{gallery}}.shards/{shard}",
            shard=range(CONFIG.shards.index),
        ),
    output:
        directory(
            "results/indexes/{backbone}/{training_set}/{objective}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/merge_index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/merge_index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.index > 1),
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code_digest("merge-index"),
    shell:
        "reranksmart merge-index --trained {input.trained} --output {output} {input.shards} {params.recipe} 2>&1 | tee {log}"
