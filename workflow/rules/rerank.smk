# The reranker's scores: of candidates and their neighbours, of every pair of a gallery, and of twins.


rule score_candidates:
    input:
        model=lambda wildcards: images.reranker_model(wildcards),
        candidates="results/candidates/{backbone}/{training_set}/{retriever}/seed{seed}/{gallery}",
        data=lambda wildcards: names.gallery_folders("results/data", wildcards.gallery),
        images=lambda wildcards: images.reranker_images(CONFIG, wildcards),
    output:
        directory(
            "results/pair_scores/{backbone}/{training_set}/{retriever}-{reranker}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/score_candidates/{backbone}.{training_set}.{retriever}-{reranker}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/score_candidates/{backbone}.{training_set}.{retriever}-{reranker}.seed{seed}.{gallery}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.rerank == 1),
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(
            CONFIG, "score_candidates", wildcards
        ),
        runtime=lambda wildcards: resources.runtime_minutes(
            CONFIG, "score_candidates", wildcards
        ),
        gpu=lambda wildcards: resources.gpus(CONFIG, "score_candidates", wildcards),
    params:
        inputs=names.given,
        settings=lambda wildcards: names.pair_settings(
            CONFIG, images.reranker_of(wildcards)[0], wildcards.gallery
        ),
        depth=lambda wildcards: experiments.deepest(CONFIG, wildcards),
        precision=CONFIG.precision.rerank,
        shard="",
        code=lambda wildcards: models.model_code(
            CONFIG, "score-candidates", images.reranker_of(wildcards)[0]
        ),
    shell:
        "reranksmart score-candidates {params.inputs}"
        " --gallery {wildcards.gallery} --depth {params.depth} --backbone-settings {params.settings:q}"
        " --precision {params.precision} {params.shard}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule rerank_neighbours:
    input:
        model=lambda wildcards: images.reranker_model(wildcards),
        candidates="results/candidates/{backbone}/{training_set}/{retriever}/seed{seed}/{gallery}",
        embeddings=lambda wildcards: models.neighbour_embeddings(wildcards),
        data=lambda wildcards: names.gallery_folders("results/data", wildcards.gallery),
        images=lambda wildcards: images.reranker_images(CONFIG, wildcards),
    output:
        directory(
            "results/neighbours/{backbone}/{training_set}/{retriever}-{reranker}-{neighbours}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/rerank_neighbours/{backbone}.{training_set}.{retriever}-{reranker}-{neighbours}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/rerank_neighbours/{backbone}.{training_set}.{retriever}-{reranker}-{neighbours}.seed{seed}.{gallery}.tsv"
    priority: 30
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(
            CONFIG, "score_candidates", wildcards
        ),
        runtime=lambda wildcards: resources.runtime_minutes(
            CONFIG, "score_candidates", wildcards
        ),
        gpu=lambda wildcards: resources.gpus(CONFIG, "score_candidates", wildcards),
    params:
        inputs=names.given,
        settings=lambda wildcards: names.pair_settings(
            CONFIG, images.reranker_of(wildcards)[0], wildcards.gallery
        ),
        depths=lambda wildcards: experiments.depths_of(CONFIG, wildcards),
        precision=CONFIG.precision.rerank,
        code=lambda wildcards: models.model_code(
            CONFIG, "rerank-neighbours", images.reranker_of(wildcards)[0]
        ),
    shell:
        "reranksmart rerank-neighbours {params.inputs} --gallery {wildcards.gallery} --neighbours {wildcards.neighbours}"
        " --depths {params.depths} --backbone-settings {params.settings:q} --precision {params.precision}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule score_all:
    input:
        model=lambda wildcards: images.reranker_model(wildcards),
        data=lambda wildcards: names.gallery_folders("results/data", wildcards.gallery),
        images=lambda wildcards: images.reranker_images(CONFIG, wildcards),
    output:
        directory(
            "results/exhaustive/{backbone}/{training_set}/{reranker}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/score_all/{backbone}.{training_set}.{reranker}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/score_all/{backbone}.{training_set}.{reranker}.seed{seed}.{gallery}.tsv"
    wildcard_constraints:
        seed=names.seed_where(CONFIG.shards.rerank == 1),
    priority: 35
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(CONFIG, "score_all", wildcards),
        runtime=lambda wildcards: resources.runtime_minutes(
            CONFIG, "score_all", wildcards
        ),
        gpu=lambda wildcards: resources.gpus(CONFIG, "score_all", wildcards),
    params:
        inputs=names.given,
        settings=lambda wildcards: names.pair_settings(
            CONFIG, images.reranker_of(wildcards)[0], wildcards.gallery
        ),
        precision=CONFIG.precision.rerank,
        shard="",
        code=lambda wildcards: models.model_code(
            CONFIG, "score-all", wildcards.backbone
        ),
    shell:
        "reranksmart score-all {params.inputs} --gallery {wildcards.gallery}"
        " --backbone-settings {params.settings:q} --precision {params.precision} {params.shard}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule score_twins:
    input:
        model=MODEL,
        data="results/data/{dataset}/{split}",
        images=lambda wildcards: images.split_images(CONFIG, wildcards),
    output:
        directory(
            "results/twin_scores/{backbone}/{training_set}/{objective}/seed{seed}/{role}/{dataset}/{split}"
        ),
    log:
        "results/logs/score_twins/{backbone}.{training_set}.{objective}.seed{seed}.{role}.{dataset}.{split}.log",
    benchmark:
        "results/benchmarks/score_twins/{backbone}.{training_set}.{objective}.seed{seed}.{role}.{dataset}.{split}.tsv"
    priority: 30
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        inputs=names.given,
        settings=lambda wildcards: names.reading_settings(CONFIG, wildcards.backbone),
        precision=lambda wildcards: (
            CONFIG.precision.encode
            if wildcards.role == "retriever"
            else CONFIG.precision.rerank
        ),
        code=lambda wildcards: models.model_code(
            CONFIG, "score-twins", wildcards.backbone
        ),
    shell:
        "reranksmart score-twins {params.inputs}"
        " --role {wildcards.role} --backbone-settings {params.settings:q} --precision {params.precision} --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"
