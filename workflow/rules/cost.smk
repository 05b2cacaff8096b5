# Cost: the time of queries, evaluations and pairs, index types, what fewer bits do, and the machine's rates.


rule measure_latency:
    input:
        unpack(lambda wildcards: plan.latency_inputs(CONFIG)),
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
        mem_mb=lambda wildcards: plan.memory_mb(CONFIG, "measure_latency", wildcards),
        runtime=lambda wildcards: plan.runtime_minutes(
            CONFIG, "measure_latency", wildcards
        ),
        gpu=lambda wildcards: plan.gpus(CONFIG, "measure_latency", wildcards),
    params:
        models=plan.latency_models(CONFIG),
        settings=plan.settings(CONFIG.latency),
        precision=plan.settings(CONFIG.precision),
        depth=CONFIG.depth,
        code=plan.model_code(CONFIG, "measure-latency"),
    shell:
        "reranksmart measure-latency --data {input.data} --models {params.models:q}"
        " --settings {params.settings:q} --depth {params.depth} --precision {params.precision:q}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule measure_indexes:
    input:
        plan.latency_embeddings(CONFIG),
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
        factories=plan.index_factories(CONFIG),
        vectors=plan.index_vectors(CONFIG),
        code=plan.code_digest("measure-indexes"),
    shell:
        "reranksmart measure-indexes --embeddings {input} --factories {params.factories:q} --vectors {params.vectors}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule measure_pairs:
    input:
        unpack(lambda wildcards: plan.pair_inputs(CONFIG)),
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
        models=plan.pair_models(CONFIG),
        backbone_settings=plan.pair_reading_settings(CONFIG),
        depth=CONFIG.depth,
        code=plan.model_code(CONFIG, "measure-pairs"),
    shell:
        "reranksmart measure-pairs --data {input.data} --regions {input.regions} --models {params.models:q}"
        " --backbone-settings {params.backbone_settings:q} --depth {params.depth}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule measure_precision:
    input:
        unpack(lambda wildcards: plan.precision_inputs(CONFIG)),
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
        models=plan.precision_models(CONFIG),
        depth=CONFIG.depth,
        resamples=CONFIG.bootstrap,
        code=plan.model_code(CONFIG, "measure-precision"),
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
        settings=plan.rate_settings(CONFIG),
        code=plan.model_code(CONFIG, "measure-rates"),
    shell:
        "reranksmart measure-rates --settings {params.settings:q} --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"
