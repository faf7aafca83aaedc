"""Puts the official test suite of JSON Schema into a folder: the copy in the source distribution of `jsonschema` on PyPI.

argv: the folder. It is there as a whole or not at all.
"""

import hashlib
import io
import pathlib
import shutil
import sys
import tarfile
import urllib.request

NAME = "jsonschema-4.26.0"
FOLDER = "b3/fc/e067678238fa451312d4c62bf6e6cf5ec56375422aee02f9cb5f909b3047"
SHA256 = "0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326"


def main(target):
    url = f"https://files.pythonhosted.org/packages/{FOLDER}/{NAME}.tar.gz"
    with urllib.request.urlopen(url, timeout=60) as answer:
        content = answer.read()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        sys.exit(f"{url}: its SHA-256 is {found}, not {SHA256}")
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            path = pathlib.PurePosixPath(member.name)
            inside = path.parts[2:]
            if member.isfile() and path.parts[:2] == (NAME, "json") and inside[:1] in (("tests",), ("remotes",)) and ".." not in inside:
                place = partial.joinpath(*inside)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(archive.extractfile(member).read())
    partial.rename(target)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
