# Retrieval: embeddings of each split once, an index for each gallery, and candidates.


rule encode:
    input:
        model=MODEL,
        data="results/data/{dataset}/{split}",
        images=lambda wildcards: images.split_images(CONFIG, wildcards),
    output:
        directory(
            "results/embeddings/{backbone}/{training_set}/{objective}/seed{seed}/{dataset}/{split}"
        ),
    log:
        "results/logs/encode/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.log",
    benchmark:
        "results/benchmarks/encode/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.encode == 1),
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(CONFIG, "encode", wildcards),
        runtime=lambda wildcards: resources.runtime_minutes(CONFIG, "encode", wildcards),
        gpu=lambda wildcards: resources.gpus(CONFIG, "encode", wildcards),
    params:
        settings=lambda wildcards: names.reading_settings(CONFIG, wildcards.backbone),
        precision=CONFIG.precision.encode,
        shard="",
        code=lambda wildcards: models.model_code(CONFIG, "encode", wildcards.backbone),
    shell:
        "reranksmart encode --model {input.model} --captions {input.data}/captions.jsonl --images {input.images}"
        " --backbone-settings {params.settings:q} --precision {params.precision} {params.shard}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule index:
    input:
        embeddings=lambda wildcards: models.embedding_folders(wildcards),
        data=lambda wildcards: names.gallery_folders("results/data", wildcards.gallery),
    output:
        directory(
            "results/indexes/{backbone}/{training_set}/{objective}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.index == 1),
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(CONFIG, "index", wildcards),
        runtime=60,
    params:
        inputs=names.given,
        settings=lambda wildcards: names.gallery_reading_settings(
            CONFIG, wildcards.backbone, wildcards.gallery
        ),
        factory=CONFIG.index,
        code=code_digest("index"),
    shell:
        "reranksmart index {params.inputs} --gallery {wildcards.gallery} --factory {params.factory:q}"
        " --backbone-settings {params.settings:q} --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule retrieve:
    input:
        embeddings=lambda wildcards: models.embedding_folders(wildcards),
        data=lambda wildcards: names.gallery_folders("results/data", wildcards.gallery),
        index="results/indexes/{backbone}/{training_set}/{objective}/seed{seed}/{gallery}",
    output:
        directory(
            "results/candidates/{backbone}/{training_set}/{objective}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/retrieve/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/retrieve/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.tsv"
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(CONFIG, "retrieve", wildcards),
        runtime=60,
    params:
        inputs=names.given,
        settings=lambda wildcards: names.gallery_reading_settings(
            CONFIG, wildcards.backbone, wildcards.gallery
        ),
        depth=CONFIG.candidates,
        code=code_digest("retrieve"),
    shell:
        "reranksmart retrieve {params.inputs} --gallery {wildcards.gallery}"
        " --depth {params.depth} --backbone-settings {params.settings:q} --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule retrieve_normalised:
    input:
        unpack(lambda wildcards: models.normalised_inputs(CONFIG, wildcards)),
    output:
        directory(
            "results/candidates/{backbone}/{training_set}/{objective}.normalised/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/retrieve_normalised/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/retrieve_normalised/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.tsv"
    priority: 35
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        inputs=names.given,
        settings=lambda wildcards: names.gallery_reading_settings(
            CONFIG, wildcards.backbone, wildcards.gallery
        ),
        depth=CONFIG.candidates,
        code=code_digest("retrieve-normalised"),
    shell:
        "reranksmart retrieve-normalised {params.inputs} --gallery {wildcards.gallery} --depth {params.depth} --backbone-settings {params.settings:q}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"
