# Data: published or composed pictures and captions, their relevance, and the audit of the splits.


rule fetch_stamps:
    output:
        folder=directory("results/stamps/pictures"),
        stamps="results/stamps/stamps.jsonl",
    log:
        "results/logs/fetch_stamps.log",
    benchmark:
        "results/benchmarks/fetch_stamps.tsv"
    retries: 2
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        source=data.stamps_option(CONFIG),
        code=code_digest("fetch-stamps"),
    shell:
        "reranksmart fetch-stamps {params.source} --folder {output.folder} --output {output.stamps} {params.recipe} 2>&1 | tee {log}"


rule prepare_split:
    input:
        unpack(lambda wildcards: data.split_inputs(CONFIG, wildcards)),
    output:
        directory("results/data/{dataset}/{split}"),
    log:
        "results/logs/prepare_split/{dataset}.{split}.log",
    benchmark:
        "results/benchmarks/prepare_split/{dataset}.{split}.tsv"
    priority: lambda wildcards: data.split_priority(CONFIG, wildcards)
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        stamps=lambda wildcards, input: names.options(
            "--stamps", input.get("stamps", [])
        ),
        settings=lambda wildcards: data.split_settings(CONFIG, wildcards),
        code=lambda wildcards: data.dataset_code(
            CONFIG, "prepare-split", wildcards.dataset
        ),
    shell:
        "reranksmart prepare-split {params.stamps} --split {wildcards.split}"
        " --settings {params.settings:q} --output {output} {params.recipe} 2>&1 | tee {log}"


rule audit_splits:
    input:
        splits=lambda wildcards: expand(
            "results/data/{{dataset}}/{split}",
            split=CONFIG.datasets[wildcards.dataset].splits,
        ),
        stamps=lambda wildcards: data.stamps_inputs(CONFIG, wildcards.dataset),
    output:
        update("results/data/{dataset}/audit.json"),  # a refusal keeps the last one, or the models would train again
    log:
        "results/logs/audit_splits/{dataset}.log",
    benchmark:
        "results/benchmarks/audit_splits/{dataset}.tsv"
    priority: 90
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        stamps=lambda wildcards, input: names.options(
            "--stamps", input.get("stamps", [])
        ),
        settings=lambda wildcards: names.settings(CONFIG.datasets[wildcards.dataset]),
        code=lambda wildcards: data.dataset_code(
            CONFIG, "audit-splits", wildcards.dataset
        ),
    shell:
        "reranksmart audit-splits {params.stamps} --settings {params.settings:q}"
        " --output {output} {input.splits} {params.recipe} 2>&1 | tee {log}"


rule audit_training:
    input:
        lambda wildcards: audit.audit_inputs(CONFIG, wildcards),
    output:
        update("results/audits/{training_set}.json"),  # as above
    log:
        "results/logs/audit_training/{training_set}.log",
    benchmark:
        "results/benchmarks/audit_training/{training_set}.tsv"
    priority: 90
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        root="results/data",
        settings=lambda wildcards: audit.audit_settings(CONFIG, wildcards.training_set),
        code=code_digest("audit-training"),
    shell:
        "reranksmart audit-training --root {params.root} --settings {params.settings:q} --output {output} {params.recipe} 2>&1 | tee {log}"


rule judge:
    input:
        splits=lambda wildcards: names.gallery_folders(
            "results/data", wildcards.gallery
        ),
        stamps=lambda wildcards: data.stamps_inputs(
            CONFIG, Gallery.parse(wildcards.gallery).dataset
        ),
    output:
        "results/relevance/{gallery}.npz",
    log:
        "results/logs/judge/{gallery}.log",
    benchmark:
        "results/benchmarks/judge/{gallery}.tsv"
    priority: 92  # pretraining waits for it
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        stamps=lambda wildcards, input: names.options(
            "--stamps", input.get("stamps", [])
        ),
        code=code_digest("judge"),
    shell:
        "reranksmart judge {params.stamps} --gallery {wildcards.gallery} --output {output} {input.splits} {params.recipe} 2>&1 | tee {log}"
