# Report: a rule for each table and figure, and one page with all of them.


rule tabulate:
    input:
        made=lambda wildcards: entries.inputs(CONFIG, "tables", wildcards.table),
        leaks=lambda wildcards: entries.leaks(CONFIG, "tables", wildcards.table),
    output:
        report(
            "results/tables/{table}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        multiext("results/tables/{table}", ".md", ".tex", ".compact.tex", ".json"),
    log:
        "results/logs/tabulate/{table}.log",
    benchmark:
        "results/benchmarks/tabulate/{table}.tsv"
    priority: 60
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        folder=subpath(output[0], parent=True),
        settings=lambda wildcards: entries.asked(CONFIG, "tables", wildcards.table),
        recipes=lambda wildcards, input: RECIPES.of_all(input),
        code=lambda wildcards: entries.code(CONFIG, "tables", wildcards.table),
    shell:
        "reranksmart tabulate --settings {params.settings:q}"
        " --output {params.folder} {input.made} --recipes {params.recipes:q} {params.recipe} 2>&1 | tee {log}"


rule plot:
    input:
        lambda wildcards: entries.inputs(CONFIG, "figures", wildcards.figure),
    output:
        report(
            "results/figures/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        multiext("results/figures/{figure}", ".pdf", ".png", ".txt"),
    log:
        "results/logs/plot/{figure}.log",
    benchmark:
        "results/benchmarks/plot/{figure}.tsv"
    priority: 60
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        folder=subpath(output[0], parent=True),
        settings=lambda wildcards: entries.asked(CONFIG, "figures", wildcards.figure),
        recipes=lambda wildcards, input: RECIPES.of_all(input),
        code=lambda wildcards: entries.code(CONFIG, "figures", wildcards.figure),
    shell:
        "reranksmart plot --settings {params.settings:q}"
        " --output {params.folder} {input} --recipes {params.recipes:q} {params.recipe} 2>&1 | tee {log}"


rule report:
    input:
        unpack(lambda wildcards: page.page_inputs(CONFIG)),
    output:
        page=report(
            "results/report.html",
            caption="../report/page.rst",
            category="Report",
            labels={"what": "everything on a page"},
        ),
        summary=report(
            "results/summary.txt",
            caption="../report/summary.rst",
            category="Report",
            labels={"what": "summary"},
        ),
        deviations="results/deviations.csv",
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        settings=page.page_settings(CONFIG),
        recipes=lambda wildcards, input: RECIPES.of_all(input),
        code=code_digest("report"),
    shell:
        "reranksmart report --settings {params.settings:q} --page {output.page} --summary {output.summary}"
        " --deviations {output.deviations} --recipes {params.recipes:q} {params.recipe} 2>&1 | tee {log}"
