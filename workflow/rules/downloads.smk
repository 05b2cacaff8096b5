# Published files: fetched into a folder that outlives every job; a small record of each is what other rules read.


localrules:
    download,


rule download:
    output:
        "results/downloads/{source}.json",
    log:
        "results/logs/download/{source}.log",
    benchmark:
        "results/benchmarks/download/{source}.tsv"
    wildcard_constraints:
        source="[A-Za-z0-9_./-]+",
    priority: 95
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=1000,
        runtime=1440,
    params:
        place=places.download_place(CONFIG),
        # Patience and accepted terms make no other file. Snakemake compares no parameter that takes `resources`.
        settings=lambda wildcards, resources: places.download_settings(CONFIG),
    shell:
        "reranksmart download --source {wildcards.source} --settings {params.settings:q} --output {output} {params.recipe} 2>&1 | tee {log}"


rule unpack:
    input:
        "results/downloads/{source}.json",
    output:
        "results/unpacked/{source}.json",
    log:
        "results/logs/unpack/{source}.log",
    benchmark:
        "results/benchmarks/unpack/{source}.tsv"
    wildcard_constraints:
        source="[A-Za-z0-9_./-]+",
    priority: 95
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=1000,
        runtime=240,
    params:
        folder=CONFIG.downloads.folder,
    shell:
        "reranksmart unpack --download {input} --folder {params.folder:q} --output {output} {params.recipe} 2>&1 | tee {log}"
