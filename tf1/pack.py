"""A trained language model without what only its training needs, in bf16: small enough for a repository or a download.

    python -m tf1.pack runs/shakespeare pretrained/shakespeare

The new folder holds the weights (those of the best epoch, where they were kept), config and vocabulary, so that
`--generate`, `--next_word`, `--score` and `--export_dir` work with it as --save_path, and --init_from starts a training
from it. SHA256SUMS is for `sha256sum -c`.
"""

import hashlib
import os

import reader
from tf1 import app, checkpoints, export
from tf1.app import UserError, write_file


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m tf1.pack", __doc__)
    parser.add_argument("run", type=app.path, help="the folder of a training, its --save_path")
    parser.add_argument("folder", type=app.path, help="a new folder")
    return parser.parse_args(argv)


@app.command
def main(argv=None):
    args = parse_args(argv)
    found = checkpoints.find(args.run, "the folder") if os.path.isdir(args.run) else None
    if not found:
        raise UserError(f"{args.run} holds no checkpoint: name the folder of a trained network")
    identity = found[1]["identity"]
    if "vocabulary" not in identity:
        raise UserError(f"{args.run} holds a run of {identity['script']}.py, and only language models can be packed")
    vocabulary = reader.Vocabulary.load(args.run, identity["vocabulary"])
    with export.new_folder(args.folder, args.folder) as folder:
        checkpoints.save_weights(found, folder)
        vocabulary.save(folder)
        sums = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                sums.append(f"{hashlib.sha256(file.read()).hexdigest()}  {name}\n")
        write_file(os.path.join(folder, "SHA256SUMS"), "".join(sums))
        size = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
    print(f"Packed into {args.folder}: {size / 1e6:.2f} MB")
    return {"bytes": size}


if __name__ == "__main__":
    main()
