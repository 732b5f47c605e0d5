"""chainrule predict."""

from pathlib import Path
from typing import Any

import click

from chainrule.cli.command import Command
from chainrule.cli.options import NAME_OR_PATH, PATH, json_option
from chainrule.cli.reading import check_out
from chainrule.cli.showing import print_json, say, tell


@click.command(cls=Command)
@click.argument("model_file", type=PATH, metavar="MODEL", help="A model file.")
@click.argument("data", type=NAME_OR_PATH, help="Raw data with the model's input columns.")
@click.option("--out", type=PATH, metavar="CSV", help="Also write the predictions to this CSV file.")
@json_option
def predict(model_file: Path, data: str, out: Path | None, as_json: bool) -> None:
    """Predict a class or a number for every row of DATA; where the target is known in all, tell how many are right."""
    from chainrule.data.source import read_table
    from chainrule.model.model_file import load_model
    from chainrule.model.write import write
    from chainrule.render.csv_text import csv_text
    from chainrule.summary import prediction_rows, predictions_text

    model = load_model(model_file)
    if out is not None:
        check_out("out", out, None, model_file, data)
    table = read_table(data)
    a = model.outputs_of(table)
    target = model.target
    assert target is not None  # outputs_of has refused a model without
    predictions = target.predictions(a)
    probabilities = target.probabilities(a, model.network.activation[-1])
    result: dict[str, Any] = {"predictions": predictions}
    if target.classes is not None:
        result["classes"] = list(target.classes)
        result["probabilities"] = None if probabilities is None else probabilities.tolist()
    unknown = target.unknown_rows(table)
    if 0 < unknown < table.n_rows:
        tell(f"the target is unknown in {unknown:,} of {table.n_rows:,} rows: there is no score")
    if not unknown:
        key = "r2" if target.classes is None else "accuracy"
        result[key] = target.score(a, target.encode(table, model.network.sizes[-1]))
    if out is not None:
        header, rows = prediction_rows(result, target.columns)
        write({out: csv_text(header, rows).encode()})
        tell(f"saved {out}")
    if as_json:
        print_json(result)
    else:
        say(predictions_text(result, target.columns))
