"""The data dictionary: ``data/README.md`` is written from the schema, the vocabularies and the metrics.

``python -m analysis.dictionary`` writes it again; a test holds the file against this module.
"""

from __future__ import annotations

from analysis.datasets.cells import CELLS
from analysis.datasets.vocabularies import reference_vocabularies
from analysis.metrics import metrics
from analysis.schema import DATA_FOLDER, TABLES, Column

_HEAD = """# Data

Written by `python -m analysis.dictionary` from the schema, the vocabularies and the metrics: change those, not this.

| here | what |
|---|---|
| `reference/` | criteria, applicability, field offices, vocabularies: data of the program, in our words |
| `reference/glossary.toml` | the words of the app, each explained once: the page Methods |
| `metrics.toml` | every success metric, defined once |
| `effects.toml` | the effects of the synthetic demo |
| `published/` | figures the program has published, with their sources |
| `mappings/` | mapping files for imports |
| `demo/` | **synthetic** dataset: invented by a simulation whose truth is in `demo/truth.toml` |

The list of criteria, how each is seen, to whom it applies, deficiency reasons and other lists marked *assumed* are ours:
no complete list is published. They are data, so that the program's own can take their place.

## A dataset is a folder

| file | what |
|---|---|
| `dataset.toml` | name, synthetic or not, as-of date, period, completeness, names of the arms, margins, fingerprint |
| `source/<table>.parquet` | the tables below, in our columns, values as text |
| `prepared/<table>.parquet` | derived columns, joined once and integer-coded |
| `cells/<table>.parquet` | grouped counts: what the app answers from |
| `vocabularies.parquet` | values, labels and codes of this dataset |
| `rejects.parquet` | rows the import refused, each with its row number and rule |
| `truth.toml` | the known truth (synthetic data only) |

## Source tables

A required column is **bold**; every other may be empty. "Met" answers are not stored: a criterion is assessed and met when it
applies to the validation's entity type and date and has no row in `findings`.
"""


def dictionary() -> str:
    """The text of ``data/README.md``."""
    parts = [_HEAD]
    for table in TABLES.values():
        parts.append(
            f"### `{table.name}`: {table.row_is}\n\n| column | type | values | meaning |\n|---|---|---|---|"
        )
        parts += [_column_line(column) for column in table.columns]
        parts.append("")
    parts.append("## Vocabularies\n\n| vocabulary | values |\n|---|---|")
    for vocabulary in reference_vocabularies().values():
        pairs = [f"`{v}` {label}" for v, label in zip(vocabulary.values, vocabulary.labels, strict=True)]
        parts.append(f"| {vocabulary.column} | {' · '.join(pairs)} |")
    parts.append(
        "\n## Metrics\n\n| metric | numerator | denominator | margin | how to read it |\n|---|---|---|---|---|"
    )
    for metric in metrics().values():
        margin = (
            "none" if metric.margin is None else f"{metric.margin:g} ({metric.margin_scale}), illustrative"
        )
        parts.append(
            f"| **{metric.label}** `{metric.id}` | {metric.numerator} | {metric.denominator} | {margin} | {metric.reading} |"
        )
    parts.append("\n## Cells\n\n| table | counts | grouped by |\n|---|---|---|")
    parts += [f"| `{cells.name}` | {cells.counts} | {', '.join(cells.keys)} |" for cells in CELLS.values()]
    return "\n".join(parts) + "\n"


def _column_line(column: Column) -> str:
    name = f"**{column.name}**" if column.required else column.name
    values = f"vocabulary `{column.vocabulary}`" if column.vocabulary else ""
    if column.low is not None and column.high is not None:
        values = f"{column.low:g} to {column.high:g}"
    return f"| {name} | {column.type} | {values} | {column.meaning} |"


if __name__ == "__main__":
    (DATA_FOLDER / "README.md").write_text(dictionary(), encoding="utf-8")
