# Cost: the time of queries, evaluations and pairs, index types, what fewer bits do, and the machine's rates.


rule measure_latency:
    input:
        unpack(lambda wildcards: cost.latency_inputs(CONFIG)),
    output:
        directory("results/latency"),
    log:
        "results/logs/measure_latency.log",
    benchmark:
        "results/benchmarks/measure_latency.tsv"
    priority: 45
    conda:
        "../../envs/reranksmart.yaml"
    threads: lambda wildcards: workflow.resource_settings.cores or 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(
            CONFIG, "measure_latency", wildcards
        ),
        runtime=lambda wildcards: resources.runtime_minutes(
            CONFIG, "measure_latency", wildcards
        ),
        gpu=lambda wildcards: resources.gpus(CONFIG, "measure_latency", wildcards),
    params:
        models=cost.latency_models(CONFIG),
        settings=names.settings(CONFIG.latency),
        precision=names.settings(CONFIG.precision),
        depth=CONFIG.depth,
        code=models.model_code(CONFIG, "measure-latency"),
    shell:
        "reranksmart measure-latency --data {input.data} --models {params.models:q}"
        " --settings {params.settings:q} --depth {params.depth} --precision {params.precision:q}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule measure_indexes:
    input:
        cost.latency_embeddings(CONFIG),
    output:
        directory("results/index_recall"),
    log:
        "results/logs/measure_indexes.log",
    benchmark:
        "results/benchmarks/measure_indexes.tsv"
    priority: 20
    conda:
        "../../envs/reranksmart.yaml"
    threads: lambda wildcards: workflow.resource_settings.cores or 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        factories=cost.index_factories(CONFIG),
        vectors=cost.index_vectors(CONFIG),
        code=code_digest("measure-indexes"),
    shell:
        "reranksmart measure-indexes --embeddings {input} --factories {params.factories:q} --vectors {params.vectors}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule measure_pairs:
    input:
        unpack(lambda wildcards: cost.pair_inputs(CONFIG)),
    output:
        directory("results/pair_costs"),
    log:
        "results/logs/measure_pairs.log",
    benchmark:
        "results/benchmarks/measure_pairs.tsv"
    priority: 20
    conda:
        "../../envs/reranksmart.yaml"
    threads: lambda wildcards: workflow.resource_settings.cores or 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        models=cost.pair_models(CONFIG),
        backbone_settings=cost.pair_reading_settings(CONFIG),
        depth=CONFIG.depth,
        code=models.model_code(CONFIG, "measure-pairs"),
    shell:
        "reranksmart measure-pairs --data {input.data} --regions {input.regions} --models {params.models:q}"
        " --backbone-settings {params.backbone_settings:q} --depth {params.depth}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule measure_precision:
    input:
        unpack(lambda wildcards: cost.precision_inputs(CONFIG)),
    output:
        directory("results/precision"),
    log:
        "results/logs/measure_precision.log",
    benchmark:
        "results/benchmarks/measure_precision.tsv"
    priority: 20
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        models=cost.precision_models(CONFIG),
        depth=CONFIG.depth,
        resamples=CONFIG.bootstrap,
        code=models.model_code(CONFIG, "measure-precision"),
    shell:
        "reranksmart measure-precision --data {input.data} --relevance {input.relevance}"
        " --models {params.models:q} --depth {params.depth}"
        " --resamples {params.resamples} --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule measure_rates:
    output:
        directory("results/rates"),
    log:
        "results/logs/measure_rates.log",
    benchmark:
        "results/benchmarks/measure_rates.tsv"
    priority: 20
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1  # as encoding and re-ranking run
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=cost.rate_settings(CONFIG),
        code=models.model_code(CONFIG, "measure-rates"),
    shell:
        "reranksmart measure-rates --settings {params.settings:q} --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"
