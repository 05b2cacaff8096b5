# The workflow lies in workflow/; this file makes a plain `snakemake` in this folder find it.


include: "workflow/Snakefile"


workflow.default_target = "all"  # a rule of an included file is none by itself
