# Retrieval: embeddings of each split once, an index for each gallery, candidates, and the reranker's scores.


rule encode:
    input:
        model=MODEL,
        data="results/data/{dataset}/{split}",
        regions="results/regions/{dataset}/{split}",
    output:
        directory(
            "results/embeddings/{backbone}/{training_set}/{objective}/seed{seed}/{dataset}/{split}"
        ),
    log:
        "results/logs/encode/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.log",
    benchmark:
        "results/benchmarks/encode/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.tsv"
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        settings=lambda wildcards: plan.reading_settings(CONFIG, wildcards.backbone),
        precision=CONFIG.precision.encode,
        code=plan.code_digest("reranksmart.cli.retrieval"),
    shell:
        "reranksmart encode --model {input.model} --captions {input.data}/captions.jsonl --regions {input.regions}"
        " --backbone-settings {params.settings:q} --precision {params.precision} --output {output} --threads {threads} 2>&1 | tee {log}"


rule index:
    input:
        embeddings=lambda wildcards: plan.embedding_folders(wildcards),
        data=lambda wildcards: plan.gallery_folders("results/data", wildcards.gallery),
    output:
        directory(
            "results/indexes/{backbone}/{training_set}/{objective}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/index/{backbone}.{training_set}.{objective}.seed{seed}.{gallery}.tsv"
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        embeddings=lambda wildcards, input: plan.options(
            "--embeddings", input.embeddings
        ),
        data=lambda wildcards, input: plan.options("--data", input.data),
        settings=lambda wildcards: plan.reading_settings(CONFIG, wildcards.backbone),
        factory=CONFIG.index,
        code=plan.code_digest("reranksmart.cli.searching"),
    shell:
        "reranksmart index {params.embeddings} {params.data} --gallery {wildcards.gallery} --factory {params.factory:q}"
        " --backbone-settings {params.settings:q} --output {output} --threads {threads} 2>&1 | tee {log}"


rule retrieve:
    input:
        embeddings=lambda wildcards: plan.embedding_folders(wildcards),
        data=lambda wildcards: plan.gallery_folders("results/data", wildcards.gallery),
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
        mem_mb=2000,
        runtime=60,
    params:
        embeddings=lambda wildcards, input: plan.options(
            "--embeddings", input.embeddings
        ),
        data=lambda wildcards, input: plan.options("--data", input.data),
        settings=lambda wildcards: plan.reading_settings(CONFIG, wildcards.backbone),
        depth=CONFIG.candidates,
        code=plan.code_digest("reranksmart.cli.searching"),
    shell:
        "reranksmart retrieve {params.embeddings} {params.data} --index {input.index} --gallery {wildcards.gallery}"
        " --depth {params.depth} --backbone-settings {params.settings:q} --output {output} --threads {threads} 2>&1 | tee {log}"


rule score_candidates:
    input:
        model="results/models/{backbone}/{training_set}/{reranker}/seed{seed}/model",
        candidates="results/candidates/{backbone}/{training_set}/{retriever}/seed{seed}/{gallery}",
        data=lambda wildcards: plan.gallery_folders("results/data", wildcards.gallery),
        regions=lambda wildcards: plan.gallery_folders(
            "results/regions", wildcards.gallery
        ),
    output:
        directory(
            "results/pair_scores/{backbone}/{training_set}/{retriever}-{reranker}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/score_candidates/{backbone}.{training_set}.{retriever}-{reranker}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/score_candidates/{backbone}.{training_set}.{retriever}-{reranker}.seed{seed}.{gallery}.tsv"
    priority: 40
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=2500,
        runtime=720,
    params:
        data=lambda wildcards, input: plan.options("--data", input.data),
        regions=lambda wildcards, input: plan.options("--regions", input.regions),
        settings=lambda wildcards: plan.reading_settings(CONFIG, wildcards.backbone),
        depth=lambda wildcards: plan.deepest(CONFIG, wildcards),
        precision=CONFIG.precision.rerank,
        code=plan.code_digest("reranksmart.cli.retrieval"),
    shell:
        "reranksmart score-candidates --model {input.model} --candidates {input.candidates} {params.data} {params.regions}"
        " --gallery {wildcards.gallery} --depth {params.depth} --backbone-settings {params.settings:q}"
        " --precision {params.precision} --output {output} --threads {threads} 2>&1 | tee {log}"


rule score_all:
    input:
        model="results/models/{backbone}/{training_set}/{reranker}/seed{seed}/model",
        data=lambda wildcards: plan.gallery_folders("results/data", wildcards.gallery),
        regions=lambda wildcards: plan.gallery_folders(
            "results/regions", wildcards.gallery
        ),
    output:
        directory(
            "results/exhaustive/{backbone}/{training_set}/{reranker}/seed{seed}/{gallery}"
        ),
    log:
        "results/logs/score_all/{backbone}.{training_set}.{reranker}.seed{seed}.{gallery}.log",
    benchmark:
        "results/benchmarks/score_all/{backbone}.{training_set}.{reranker}.seed{seed}.{gallery}.tsv"
    priority: 35
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=4320,
    params:
        data=lambda wildcards, input: plan.options("--data", input.data),
        regions=lambda wildcards, input: plan.options("--regions", input.regions),
        settings=lambda wildcards: plan.reading_settings(CONFIG, wildcards.backbone),
        precision=CONFIG.precision.rerank,
        code=plan.code_digest("reranksmart.cli.retrieval"),
    shell:
        "reranksmart score-all --model {input.model} {params.data} {params.regions} --gallery {wildcards.gallery}"
        " --backbone-settings {params.settings:q} --precision {params.precision} --output {output} --threads {threads} 2>&1 | tee {log}"


rule score_twins:
    input:
        model=MODEL,
        data="results/data/{dataset}/{split}",
        regions="results/regions/{dataset}/{split}",
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
        settings=lambda wildcards: plan.reading_settings(CONFIG, wildcards.backbone),
        precision=lambda wildcards: (
            CONFIG.precision.encode
            if wildcards.role == "retriever"
            else CONFIG.precision.rerank
        ),
        code=plan.code_digest("reranksmart.cli.retrieval"),
    shell:
        "reranksmart score-twins --model {input.model} --data {input.data} --regions {input.regions}"
        " --role {wildcards.role} --backbone-settings {params.settings:q} --precision {params.precision} --output {output} --threads {threads} 2>&1 | tee {log}"
