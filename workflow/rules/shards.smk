# Encoding and re-ranking shared out over jobs, where the configuration asks for it (`shards`): the batches are those of
# one job, dealt to several, so that results do not depend on their number. A killed shard is the only one repeated.

ENCODINGS = arrays.Array(CONFIG, "encode", CONFIG.shards.encode)
RERANKINGS = arrays.Array(CONFIG, "score_candidates", CONFIG.shards.rerank)
EXHAUSTIVE = arrays.Array(CONFIG, "score_all", CONFIG.shards.rerank)


use rule encode as encode_shard with:
    output:
        temp(
            directory(
                "results/embeddings/{backbone}/{training_set}/{objective}/seed{seed}/{dataset}/{split}.shards/{shard}"
            )
        ),
    log:
        "results/logs/encode_shard/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.{shard}.log",
    benchmark:
        "results/benchmarks/encode_shard/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.{shard}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.encode > 1),
    retries: 2
    resources:
        mem_mb=ENCODINGS.memory_mb,
        runtime=ENCODINGS.runtime_minutes,
        gpu=ENCODINGS.gpus,
    params:
        shard=lambda wildcards: f"--shard {wildcards.shard} --shards {CONFIG.shards.encode}",


rule merge_embeddings:
    input:
        data="results/data/{dataset}/{split}",
        images=lambda wildcards: images.split_images(CONFIG, wildcards),
        shards=expand(
            "results/embeddings/{{backbone}}/{{training_set}}/{{objective}}/seed{{seed}}/{{dataset}}/{{split}}.shards/{shard}",
            shard=range(CONFIG.shards.encode),
        ),
    output:
        directory(
            "results/embeddings/{backbone}/{training_set}/{objective}/seed{seed}/{dataset}/{split}"
        ),
    log:
        "results/logs/merge_embeddings/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.log",
    benchmark:
        "results/benchmarks/merge_embeddings/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.encode > 1),
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(
            CONFIG, "merge_embeddings", wildcards
        ),
        runtime=60,
    params:
        settings=lambda wildcards: names.reading_settings(CONFIG, wildcards.backbone),
        code=code_digest("merge-embeddings"),
    shell:
        "reranksmart merge-embeddings --captions {input.data}/captions.jsonl --images {input.images}"
        " --backbone-settings {params.settings:q} --output {output} {input.shards} {params.recipe} 2>&1 | tee {log}"


use rule score_candidates as score_candidates_shard with:
    output:
        temp(
            directory(
                "results/pair_scores/{backbone}/{training_set}/{retriever}-{reranker}/seed{seed}/{gallery}.shards/{shard}"
            )
        ),
    log:
        "results/logs/score_candidates_shard/{backbone}.{training_set}.{retriever}-{reranker}.seed{seed}.{gallery}.{shard}.log",
    benchmark:
        "results/benchmarks/score_candidates_shard/{backbone}.{training_set}.{retriever}-{reranker}.seed{seed}.{gallery}.{shard}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.rerank > 1),
    retries: 2
    resources:
        mem_mb=RERANKINGS.memory_mb,
        runtime=RERANKINGS.runtime_minutes,
        gpu=RERANKINGS.gpus,
    params:
        shard=lambda wildcards: f"--shard {wildcards.shard} --shards {CONFIG.shards.rerank}",


rule merge_pair_scores:
    input:
        candidates="results/candidates/{backbone}/{training_set}/{retriever}/seed{seed}/{gallery}",
        shards=expand(
            "results/pair_scores/{{backbone}}/{{training_set}}/{{retriever}}-{{reranker}}/seed{{seed}}/{{gallery}}.shards/{shard}",
            shard=range(CONFIG.shards.rerank),
        ),
    output:
        directory(
            "results/pair_scores/{backbone}/{training_set}/{retriever}-{reranker}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/merge_pair_scores/{backbone}.{training_set}.{retriever}-{reranker}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/merge_pair_scores/{backbone}.{training_set}.{retriever}-{reranker}.seed{seed}.{gallery}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.rerank > 1),
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(
            CONFIG, "merge_pair_scores", wildcards
        ),
        runtime=60,
    params:
        settings=lambda wildcards: names.reading_settings(
            CONFIG, images.reranker_of(wildcards)[0]
        ),
        code=code_digest("merge-pair-scores"),
    shell:
        "reranksmart merge-pair-scores --candidates {input.candidates}"
        " --backbone-settings {params.settings:q} --output {output} {input.shards} {params.recipe} 2>&1 | tee {log}"


use rule score_all as score_all_shard with:
    output:
        temp(
            directory(
                "results/exhaustive/{backbone}/{training_set}/{reranker}/seed{seed}/{gallery}.shards/{shard}"
            )
        ),
    log:
        "results/logs/score_all_shard/{backbone}.{training_set}.{reranker}.seed{seed}.{gallery}.{shard}.log",
    benchmark:
        "results/benchmarks/score_all_shard/{backbone}.{training_set}.{reranker}.seed{seed}.{gallery}.{shard}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.rerank > 1),
    retries: 2
    resources:
        mem_mb=EXHAUSTIVE.memory_mb,
        runtime=EXHAUSTIVE.runtime_minutes,
        gpu=EXHAUSTIVE.gpus,
    params:
        shard=lambda wildcards: f"--shard {wildcards.shard} --shards {CONFIG.shards.rerank}",


rule merge_exhaustive:
    input:
        data=lambda wildcards: names.gallery_folders("results/data", wildcards.gallery),
        images=lambda wildcards: images.reranker_images(CONFIG, wildcards),
        shards=expand(
            "results/exhaustive/{{backbone}}/{{training_set}}/{{reranker}}/seed{{seed}}/{{gallery}}.shards/{shard}",
            shard=range(CONFIG.shards.rerank),
        ),
    output:
        directory(
            "results/exhaustive/{backbone}/{training_set}/{reranker}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/merge_exhaustive/{backbone}.{training_set}.{reranker}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/merge_exhaustive/{backbone}.{training_set}.{reranker}.seed{seed}.{gallery}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.rerank > 1),
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(
            CONFIG, "merge_exhaustive", wildcards
        ),
        runtime=60,
    params:
        data=lambda wildcards, input: names.options("--data", input.data),
        images=lambda wildcards, input: names.options("--images", input.images),
        settings=lambda wildcards: names.reading_settings(
            CONFIG, images.reranker_of(wildcards)[0]
        ),
        code=code_digest("merge-exhaustive"),
    shell:
        "reranksmart merge-exhaustive {params.data} {params.images} --gallery {wildcards.gallery}"
        " --backbone-settings {params.settings:q} --output {output} {input.shards} {params.recipe} 2>&1 | tee {log}"
