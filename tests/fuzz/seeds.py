#!/usr/bin/python3
"""Writes what fuzzing begins with: seeds.py FOLDER makes FOLDER/TARGET/NAME for each target,
in the forms that the fuzz_TARGET.c describe.  Studies are those of the tests' cases."""
import glob
import gzip
import json
import os
import sqlite3
import struct
import subprocess
import sys
import zipfile
import zlib
from io import BytesIO

FOLDER = sys.argv[1]
TRAINER = os.environ.get("TRAINER", "build/test/trainer")


def seed(target, name, content):
    os.makedirs(os.path.join(FOLDER, target), exist_ok=True)
    with open(os.path.join(FOLDER, target, name), "wb") as file:
        file.write(content)


def piece(content):
    return struct.pack("<H", len(content)) + content


# ---- Studies ----

for path in glob.glob("tests/cases/*/*.yaml") + glob.glob("search_spaces/*.yaml"):
    with open(path, "rb") as file:
        seed("study", os.path.basename(path), file.read())

# ---- Lines ----

MESSAGES = [
    {"type": "ready", "version": 1, "program": "p 1.0", "arithmetic": "avx2 fp32"},
    {"type": "ready", "version": 2, "program": "p", "arithmetic": "a"},
    {"type": "described", "id": 0, "data": {"classes": 10}, "precision": "fp32",
     "arithmetic": "avx2 fp32", "layers": [], "parameters": 3, "flops": 9},
    {"type": "epoch", "trial": 3, "attempt": 1, "epoch": 1, "metrics": {"val_loss": 0.5, "x": None},
     "checkpoint": "/tmp/3.1.1", "seconds": 1.5, "arithmetic": "avx2"},
    {"type": "epoch", "trial": 3, "attempt": 1, "epoch": 1, "metrics": {"val_loss": "low"}},
    {"type": "epoch", "trial": 3, "attempt": 1, "epoch": 1, "metrics": 1},
    {"type": "done", "trial": 3, "attempt": 1, "stopped_early": True},
    {"type": "done", "trial": 3, "attempt": 1, "stopped_early": 1},
    {"type": "predictions", "trial": 3, "attempt": 3, "first": 0, "labels": [1, 0],
     "predicted": [1, 1], "probabilities": [[0.5, 0.5], [0, 1]]},
    {"type": "predictions", "trial": 3, "attempt": 3, "first": 0, "labels": [2],
     "predicted": [1], "probabilities": [[0.5, 0.5]]},
    {"type": "predictions", "trial": 3, "attempt": 3, "first": 0, "labels": [1],
     "predicted": [1], "probabilities": [["a", 0.5]]},
    {"type": "predictions", "trial": 3, "attempt": 3, "first": 0, "labels": [1]},
    {"type": "error", "trial": 3, "attempt": 1, "text": "no", "where": "model[1]", "retry": False},
    {"type": "error", "id": 1, "text": "no", "retry": True},
    {"type": "error", "id": 1, "text": "no", "retry": 1},
    {"type": "run", "trial": 3}, {"type": "stop"}, {"type": "none"}, {"trial": 1}, [1], 7,
]
LINES = [json.dumps(message).encode() + b"\n" for message in MESSAGES]
for i, line in enumerate(LINES):
    seed("protocol", f"line{i}", b"\0" + line)
seed("protocol", "all", b"\0" + b"".join(LINES))
seed("protocol", "no_newline", b"\0" + LINES[0][:-1])
seed("protocol", "long", b"\xfe" + LINES[0])
seed("protocol", "too_long", b"\xff" + LINES[0])
seed("protocol", "too_long_and_ended", b"\xff\n")
seed("protocol", "garbage", b"\0\x00\xff{]\n\n{\"type\":\"x\",\"type\":\"y\"}\n")

STUDIES = ["status", "watch", "pause", "resume", "stop", "cancel", "ask"]
REQUESTS = [{"request": word, "study": "mnist"} for word in STUDIES] + [
    {"request": "status"}, {"request": "statsu"}, {"request": "x" * 70}, {"request": 1}, {}, [],
    {"request": "submit", "file": "/tmp/s.yaml", "text": "study: s\n", "name": "s",
     "priority": -3, "fresh": True, "extend": False, "any_precision": True},
    {"request": "submit", "file": "s.yaml", "text": "study: s\n"},
    {"request": "submit", "file": "/s.yaml", "text": "", "fresh": True, "extend": True},
    {"request": "submit", "file": "/s.yaml", "text": 1},
    {"request": "submit", "file": "/s.yaml", "text": "", "priority": 1001},
    {"request": "submit", "file": "/s.yaml", "text": "", "fresh": 1},
    {"request": "submit", "file": "/s.yaml", "text": "", "name": "9"},
    {"request": "set", "study": "s", "settings": {"workers": 4}},
    {"request": "set", "settings": 4}, {"request": "set"},
    {"request": "pause", "studdy": "s"}, {"request": "pause", "y" * 70: "s"},
    {"request": "tell", "study": "s", "trial": 1, "attempt": 0, "epoch": 3, "value": 0.5,
     "done": True},
    {"request": "tell", "study": "s", "trial": 1, "metrics": {"val_accuracy": 0.5, "m": None}},
    {"request": "tell", "study": "s", "trial": 1, "metrics": {"not a name": 1}},
    {"request": "tell", "study": "s", "trial": 1, "metrics": {}},
    {"request": "tell", "study": "s", "trial": 1, "failed": "why"},
    {"request": "tell", "study": "s", "trial": -1, "value": 1},
    {"request": "tell", "study": "s", "trial": 1, "value": "x"},
    {"request": "tell", "study": "s", "trial": 1},
]
for i, request in enumerate(REQUESTS):
    seed("request", f"request{i}", json.dumps(request).encode() + b"\n")
seed("request", "garbage", b"\x00\xff{]\n\n")

# ---- Trials ----

OWN = "trial,state,bracket,epochs,value,rank,rate,units,kind,flag\r\n"
for name, text in {
        "plain": "rate,units,kind,flag,value\n0.1,3,a,true,0.5\n1e-3,-4,\"b, c\",FALSE,0.25\n",
        "own": OWN + "0,completed,1,9,0.5,1,0.1,3,a,true\r\n1,stopped,1,3,0.4,,0.2,4,b,false\r\n"
               "2,failed,0,1,,,0.3,5,,true\r\n",
        "own_twice": OWN + "0,completed,1,9,0.5,1,0.1,3,a,true\n" * 2,
        "own_number": OWN + "x,completed,1,9,0.5,1,0.1,3,a,true\n",
        "marked": "\ufeffrate,value\n\n0.1,nan\n0.2,none\n", "quotes": 'a,value\n"x ""y""\nz",1\n',
        "open_quote": 'a,value\n"x,1\n', "after_quote": 'a,value\n"x"y,1\n',
        "no_value": "a,b\n1,2\n", "no_trials": "a,value\n", "no_name": ",value\n1,2\n",
        "same_name": "a,A,value\n1,2,3\n", "empty_column": "a,value\n,1\n,2\n",
        "no_number": "a,value\n1,good\n", "cells": "a,value\n1,2,3\n", "empty": "", "zero": "a\0\n",
        "columns": ",".join("a" * 2100) + "\n", "no_end": "a,value\n1,2"}.items():
    seed("history", name, text.encode())
seed("history", "no_text", b"a,value\n\xff,1\n")

# ---- Optuna's storage: rows (fuzz_optuna.c), or the file of SQLite itself ----

RANGE = '{"name": "%s", "attributes": {"low": %s, "high": %s, "log": %s, "step": %s}}'
REAL = RANGE % ("FloatDistribution", 0.0, 1.0, "false", "null")
CHOICES = '{"name": "CategoricalDistribution", "attributes": {"choices": %s}}'
TIME = "2024-05-06 07:08:09.123456"


def rows(*lines, study=(("s", 1, "study"), ("d", 1, "MAXIMIZE"))):
    return "".join("\t".join(map(str, line)) + "\n" for line in (*study, *lines)).encode()


def trial(number, state="COMPLETE", value=0.5, kind="FINITE"):
    return ("t", number + 1, number, 1, state, TIME, TIME), ("v", number + 1, 0, value, kind)


ONE = trial(0)
for name, content in {
        "whole": rows(
            ("a", 1, "metric", '"val_accuracy"'), *ONE, *trial(1, "PRUNED"), *trial(2, "FAIL"),
            *trial(3, "RUNNING"), *trial(4, "WAITING"), *trial(5, value="", kind="INF_POS"),
            ("p", 1, 1, "rate", 0.25, REAL), ("p", 2, 2, "rate", 1.5, REAL.replace("1.0", "2.0")),
            ("p", 3, 1, "units", 3, RANGE % ("IntDistribution", 1, 9, "false", 2)),
            ("p", 4, 1, "kind", 1, CHOICES % '["a", null, 2.5, true]'),
            ("p", 5, 1, "flip", 1, CHOICES % "[false, true]"),
            ("i", 1, 0, 0.25), ("i", 1, 1, ""), ("i", 2, 0, 0.125), ("i", 4, -7, 1),
            ("u", 1, "note", '{"a": [1, "<b>"]}'), ("u", 2, "nan", "NaN")),
        "older": rows(
            *ONE, ("p", 1, 1, "a", 0.5, '{"name": "UniformDistribution", "attributes": '
                                        '{"low": 0, "high": 1}}'),
            ("p", 2, 1, "b", 0.5, '{"name": "LogUniformDistribution", "attributes": '
                                  '{"low": 0.1, "high": 1}}'),
            ("p", 3, 1, "c", 0.5, '{"name": "DiscreteUniformDistribution", "attributes": '
                                  '{"low": 0, "high": 1, "q": 0.5}}'),
            ("p", 4, 1, "d", 2, '{"name": "IntLogUniformDistribution", "attributes": '
                                '{"low": 1, "high": 4}}')),
        "kinds_differ": rows(*ONE, *trial(1), ("p", 1, 1, "a", 0.5, REAL),
                             ("p", 2, 2, "a", 1, CHOICES % "[1, 2]")),
        "steps_differ": rows(
            *ONE, *trial(1), ("p", 1, 1, "a", 0.5, RANGE % ("FloatDistribution", 0, 1, "false", 0.5)),
            ("p", 2, 2, "a", 1, RANGE % ("FloatDistribution", 0, 1, "false", 0.25))),
        "step": rows(*ONE, ("i", 1, 9223372036854775807, 1)), "text_step": rows(*ONE, ("i", 1, "x", 1)),
        "same_number": rows(*ONE, *ONE), "number": rows(*trial(-1)), "state": rows(*trial(0, "GONE")),
        "case": rows(*ONE, ("p", 1, 1, "a", 0.5, REAL), ("p", 2, 1, "A", 0.5, REAL)),
        "no_name": rows(*ONE, ("p", 1, 1, "", 0.5, REAL)),
        "no_distribution": rows(*ONE, ("p", 1, 1, "a", 0.5, "{}")),
        "no_choices": rows(*ONE, ("p", 1, 1, "a", 0, CHOICES % "[]")),
        "deep_choices": rows(*ONE, ("p", 1, 1, "a", 0, CHOICES % "[[]]")),
        "no_choice": rows(*ONE, ("p", 1, 1, "a", 2, CHOICES % "[1, 2]")),
        "half": rows(*ONE, ("p", 1, 1, "a", 1.5, RANGE % ("IntDistribution", 1, 9, "true", 1))),
        "range": rows(*ONE, ("p", 1, 1, "a", 1, RANGE % ("IntDistribution", 9, 1, "false", 1))),
        "far": rows(*ONE, ("p", 1, 1, "a", 1, RANGE % (
            "IntDistribution", -9223372036854775808, 9223372036854775807, "false", 3))),
        "blobs": rows(*ONE, ("p", 1, 1, "xname", "x1", "x{}"), study=(("s", 1, "xa"), ("d", 1, "x"))),
        "no_trials": rows(), "no_study": b"", "no_goal": rows(*ONE, study=(("s", 1, "s"),)),
        "other_goal": rows(*ONE, study=(("s", 1, "s"), ("d", 1, "NOT_SET"))),
        "goals": rows(*ONE, ("d", 1, "MINIMIZE")), "studies": rows(*ONE, ("s", 2, "other")),
        "metric": rows(*ONE, ("a", 1, "metric", '"epoch"'), ("i", 1, 3, 0.5))}.items():
    seed("optuna", name, content)


def storage(*others):
    """A file with the columns that are read and one trial."""
    database = sqlite3.connect(":memory:")
    database.executescript("""PRAGMA page_size = 512;
        CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name);
        CREATE TABLE study_directions (study_id, direction);
        CREATE TABLE study_user_attributes (study_id, key, value_json);
        CREATE TABLE trials (trial_id INTEGER PRIMARY KEY, number, study_id, state, datetime_start,
                             datetime_complete);
        CREATE TABLE trial_params (param_id INTEGER PRIMARY KEY, trial_id, param_name, param_value,
                                   distribution_json);
        CREATE TABLE trial_values (trial_id, objective, value, value_type);
        CREATE TABLE trial_intermediate_values (trial_id, step, intermediate_value);
        CREATE TABLE trial_user_attributes (trial_id, key, value_json);
        INSERT INTO studies VALUES (1, 'study');
        INSERT INTO study_directions VALUES (1, 'MINIMIZE');
        INSERT INTO trials VALUES (1, 0, 1, 'COMPLETE', NULL, NULL);
        INSERT INTO trial_values VALUES (1, 0, 0.5, 'FINITE');""" + ";".join(others))
    content = database.serialize() if hasattr(database, "serialize") else b""
    database.close()
    return content


VIEW = ("DROP TABLE trial_values", "CREATE VIEW trial_values AS SELECT 1 AS trial_id")
for name, content in {"file": storage(), "file_view": storage(*VIEW),
                      "file_table": storage("DROP TABLE trial_values"),
                      "file_column": storage("ALTER TABLE trial_params DROP COLUMN param_value"),
                      "file_cut": storage()[:1500], "file_head": storage()[:100]}.items():
    seed("optuna", name, content)

# ---- IDX ----


def idx(*sizes, values=None):
    count = 1
    for size in sizes:
        count *= size
    content = bytes(i % 3 for i in range(count)) if values is None else values
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, 8, len(sizes), *sizes) + content


FILES = [idx(4, 2, 3), idx(4), idx(2, 2, 3), idx(2)]
for name, form, files in [
        ("plain", 0, FILES), ("compressed", 1, [gzip.compress(f, mtime=0) for f in FILES]),
        ("split", 2, FILES), ("split_compressed", 7, [gzip.compress(f, mtime=0) for f in FILES]),
        ("transposed", 4, FILES), ("first_label", 8, FILES),
        ("first_label_fits", 8, [FILES[0], idx(4, values=b"\1\2\3\1"), FILES[2],
                                 idx(2, values=b"\1\2")]),
        ("too_few_labels", 0, [FILES[0], idx(3)]), ("no_labels", 0, FILES[:1]),
        ("no_test", 0, FILES[:2]), ("other_size", 0, FILES[:2] + [idx(2, 3, 3), idx(2)]),
        ("unknown_label", 0, FILES[:3] + [idx(2, values=b"\7\1")]),
        ("one_class", 0, [FILES[0], idx(4, values=b"\0" * 4), FILES[2], idx(2, values=b"\0\0")]),
        ("mixed_up", 0, [FILES[1], FILES[0]]), ("empty", 0, [b""]), ("no_idx", 0, [b"abcdefgh"]),
        ("floats", 0, [b"\0\0\x0d\3" + b"\0\0\0\1" * 3]), ("nothing", 0, [idx(0, 2, 3)]),
        ("wide", 0, [idx(1, 1, 1)[:8] + b"\xff" * 9]), ("promises", 0, [idx(9, 9, 9)[:20]]),
        ("more", 0, [FILES[0] + b"x"]),
        ("more_compressed", 1, [gzip.compress(FILES[0] + b"x", mtime=0)]),
        ("cut", 1, [gzip.compress(FILES[0], mtime=0)[:-12]]), ("header_cut", 0, [FILES[0][:9]]),
        ("damaged", 1, [gzip.compress(FILES[0], mtime=0)[:12] + b"\xff" * 30]),
        ("wrong_sum", 1, [gzip.compress(FILES[0], mtime=0)[:-8] + b"\0" * 8])]:
    seed("idx", name, bytes([form]) + b"".join(piece(file) for file in files))
seed("idx", "images", b"\x10" + FILES[0])
seed("idx", "images_compressed", b"\x10" + gzip.compress(FILES[0], mtime=0))

# ---- CSV ----

NAMES = ",".join(f"pixel{i}" for i in range(6))
ROWS = "".join(f"{i % 3},{i},2,3,4,5,255\r\n" for i in range(20))
SQUARE = "label,pixel0,pixel1,pixel2,pixel3\n" + "".join(f"{i % 2},1,2,3,4\n" for i in range(20))
for name, form, text in [
        ("labelled", 1, f"label,{NAMES}\r\n{ROWS}\n\n"), ("square", 0, SQUARE),
        ("not_square", 0, f"label,{NAMES}\n{ROWS}"), ("no_labels", 2, f"{NAMES}\n1,2,3,4,5,6\n"),
        ("no_label_column", 1, f"{NAMES}\n1,2,3,4,5,6\n"), ("labels", 2, f"label,{NAMES}\n{ROWS}"),
        ("other_size", 2, "pixel0\n1\n"), ("empty", 0, ""), ("only_names", 1, f"label,{NAMES}\n"),
        ("names_cut", 1, f"label,{NAMES}"), ("no_names", 0, "1,2,3\n"),
        ("more", 1, f"label,{NAMES}\n1,2,3,4,5,6,7,8\n"),
        ("fewer", 1, f"label,{NAMES}\n1,2,3,4,5\n"),
        ("short_lines", 1, f"label,{NAMES}\n" + "1\n" * 30), ("few_images", 0, SQUARE[:44]),
        ("word", 1, f"label,{NAMES}\n1,2,x y,4,5,6,7\n"),
        ("large", 1, f"label,{NAMES}\n1,256,2,3,4,5,6\n"),
        ("large_label", 1, f"label,{NAMES}\n1000,2,2,3,4,5,6\n"),
        ("digits", 1, f"label,{NAMES}\n00001,2,2,3,4,5,6\n")]:
    seed("csv", name, bytes([form]) + text.encode())

# ---- NumPy's ----


def npy(shape, kind="|u1", order="False", version=1, values=None):
    header = f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    count = 1
    for size in shape if isinstance(shape, tuple) else ():
        count *= size
    if values is None:
        values = bytes(i % 2 for i in range(count * int(kind[2:] if kind[2:].isdigit() else 1)))
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + values


ARRAYS = {"images": npy((4, 2, 3)), "colours": npy((4, 2, 3, 3)), "labels": npy((4,)),
          "column": npy((4, 1), "<i8", values=struct.pack("<4q", 0, 1, 2, 1)),
          "big_endian": npy((2,), ">i4", values=struct.pack(">2i", 1, -1)),
          "unsigned": npy((2,), "<u8", values=b"\xff" * 16), "version2": npy((2,), version=2),
          "version4": npy((2,), version=4), "floats": npy((2,), "<f4"),
          "fortran": npy((2,), order="True"), "no_shape": npy("()"), "zero": npy((0, 3)),
          "deep": npy((1, 1, 1, 1, 1)), "huge": npy((99999, 99999, 99999, 99999), values=b""),
          "short": npy((2, 2))[:-1], "cut": npy((2,))[:20], "no": b"no array at all"}
for name, array in ARRAYS.items():
    seed("npy", name, array)


def archive(method=zipfile.ZIP_STORED, comment=b"", **arrays):
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as entries:
        for name, content in arrays.items():
            # Of a fixed date, so that the same seeds are made every time.
            entry = zipfile.ZipInfo(name + ".npy")
            entry.compress_type = method
            entries.writestr(entry, content)
        entries.comment = comment
    return file.getvalue()


IMAGES, LABELS = npy((4, 2, 3)), npy((4,))
WHOLE = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES, "y_test": LABELS}
STORED = archive(**WHOLE)


def patched(content, at, values):
    return content[:at] + values + content[at + len(values):]


DIRECTORY, END = STORED.index(b"PK\1\2"), STORED.index(b"PK\5\6")
for name, content in {
        "stored": STORED, "deflated": archive(zipfile.ZIP_DEFLATED, **WHOLE),
        "comment": archive(comment=b"of the archive", **WHOLE),
        "no_entries": archive(), "no_zip": b"no zip archive at all", "cut": STORED[:-9],
        "many": patched(STORED, END + 10, b"\xff\xff"),
        "outside": patched(STORED, END + 16, b"\xff\xff\xff\x7f"),
        "directory_cut": patched(STORED, END + 12, b"\x40\0\0\0"),
        "damaged": patched(STORED, DIRECTORY, b"XX"),
        "encrypted": patched(STORED, DIRECTORY + 8, b"\1\0"),
        "method": patched(STORED, DIRECTORY + 10, b"\x0c\0"),
        "wide": patched(STORED, DIRECTORY + 20, b"\xff" * 8),
        "elsewhere": patched(STORED, DIRECTORY + 42, b"\xff\xff\xff\x7f"),
        "bomb": patched(archive(zipfile.ZIP_DEFLATED, **WHOLE), DIRECTORY - 4, b"\xff\xff\xff\x7f"),
        "other_size": patched(STORED, DIRECTORY + 24, b"\1\0\0\0"),
        "colours": archive(**{**WHOLE, "x_train": ARRAYS["colours"], "x_test": ARRAYS["colours"]}),
        "column": archive(**{**WHOLE, "y_train": ARRAYS["column"]}),
        "mixed": archive(**{**WHOLE, "x_test": ARRAYS["colours"]}),
        "too_few": archive(**{**WHOLE, "y_train": npy((3,))}),
        "square_labels": archive(**{**WHOLE, "y_train": npy((2, 2))}),
        "flat_images": archive(**{**WHOLE, "x_train": npy((4, 6))}),
        "wide_images": archive(**{**WHOLE, "x_train": npy((1, 5000, 1))}),
        "many_channels": archive(**{**WHOLE, "x_train": npy((1, 1, 1, 5000))}),
        "integers": archive(**{**WHOLE, "x_train": npy((4, 2, 3), "<i4")}),
        "unknown_label": archive(**{**WHOLE, "y_test": npy((4,), values=b"\0\1\2\3")}),
        "large_label": archive(**{**WHOLE, "y_train": npy((4,), "<u2", values=b"\xff" * 8)}),
        "no_array": archive(**{**WHOLE, "y_train": b"no array"})}.items():
    seed("npz", name, b"\1" + content)
seed("npz", "wrong_sum", b"\0" + patched(STORED, DIRECTORY + 16, b"\0\0\0\0"))

# ---- PNG ----


def png(width, height, kind, depth=8, extra=b"", interlace=0, lines=None):
    def chunk(name, content):
        return (struct.pack(">I", len(content)) + name + content
                + struct.pack(">I", zlib.crc32(name + content)))
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    line = (width * channels * depth + 7) // 8
    if lines is None:
        lines = b"".join(bytes([y % 5]) + bytes((x * 37 + y * 11) % 256 if 1 < y < height - 2 else 0
                                                for x in range(line)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace))
            + extra + (chunk(b"PLTE", bytes(range(96))) if kind == 3 else b"")
            + (chunk(b"tRNS", bytes(range(32))) if kind == 3 else b"")
            + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


GREY = png(8, 8, 0)
PICTURES = {"grey": GREY, "colour": png(5, 4, 2), "palette": png(4, 4, 3, lines=b"\0abcd" * 4),
            "grey_alpha": png(4, 4, 4), "colour_alpha": png(4, 4, 6), "deep": png(6, 6, 0, 16),
            "bits": png(9, 3, 0, 1), "interlaced": png(8, 8, 0, interlace=1),
            "dark_on_light": png(8, 8, 0, lines=(b"\0\xff\xff\xff\0\x10\xff\xff\xff") * 8),
            "one": png(1, 1, 0), "blank": png(4, 4, 0, lines=b"\0\7\7\7\7" * 4),
            "wide": png(5000, 1, 0), "cut": GREY[:-20], "lines_missing": png(8, 8, 0, lines=b"\0"),
            "no": b"no picture", "zero": png(1, 1, 0)[:16] + bytes(4) + png(1, 1, 0)[20:]}
for name, picture in PICTURES.items():
    for channels in (0, 1, 3):
        seed("png", f"{name}_{channels}", bytes([channels]) + picture)
    seed("png", f"{name}_folder", b"\2" + picture)
for layout in range(8):
    seed("png", f"layout{layout}", bytes([2 | layout << 2]) + GREY)
seed("png", "wrong_sum", b"\x20" + GREY[:40] + b"XXXX" + GREY[44:])

# ---- CIFAR-10 ----

for file in range(6):
    seed("cifar", f"file{file}", bytes([file]) + struct.pack("<H", 3073) + b"\3\2\1")
seed("cifar", "two", b"\5" + struct.pack("<H", 6146) + b"\7")
seed("cifar", "label", b"\0" + struct.pack("<H", 3073) + b"\xff")
seed("cifar", "length", b"\0" + struct.pack("<H", 100) + b"\1")
seed("cifar", "missing", b"\x80\0\0")

# ---- Decoded images ----

SOURCES = b'idx {"dataset":"idx"}\ntrain-images 1 2 3\n'


def cache(height=2, width=2, channels=1, classes=3, training=3, test=2, labels=(0, 1, 2, 1, 0)):
    pixels = bytes(range((training + test) * height * width * channels))
    cut = training * height * width * channels
    narrow = bytes(labels)
    checksum = zlib.crc32(pixels[:cut] + narrow[:training] + pixels[cut:] + narrow[training:])
    header = b"images\r\n" + struct.pack("<IIIIIIQQQ", 1, height, width, channels, classes,
                                         checksum, training, test, len(SOURCES))
    return (header + struct.pack("<Q", zlib.crc32(header))
            + struct.pack(f"<{len(labels)}H", *labels) + pixels)


CACHE = cache()
for name, content in {
        "whole": b"\3" + CACHE, "colours": b"\3" + cache(1, 2, 3),
        "own_sources": b"\0" + CACHE + SOURCES,
        "other_sources": b"\6" + CACHE + SOURCES, "changed": b"\3" + CACHE[:-1] + b"\xee",
        "label": b"\3" + cache(classes=2), "wrong_sum": b"\1" + patched(CACHE, 56, b"\xff" * 4),
        "version": b"\3" + patched(CACHE, 8, b"\2"), "short": b"\0" + CACHE[:40],
        "sizes": b"\3" + patched(CACHE, 12, b"\xff\xff\0\0\xff\xff"),
        "classes": b"\3" + patched(CACHE, 24, b"\1"),
        "counts": b"\3" + patched(CACHE, 32, b"\xff" * 8),
        "more": b"\3" + CACHE + b"x"}.items():
    seed("cache", name, content)

# ---- Checkpoints ----

HEADER = {"model": [{"type": "flatten"}, {"type": "dense", "units": 2}],
          "training": {"optimizer": {"type": "sgd", "learning_rate": 0.1}, "batch_size": 4},
          "input": [2, 2, 1], "classes": 2, "seed": "7", "trial": 0, "epoch": 1, "step": 3,
          "schedule_epochs": 2, "precision": "fp32",
          "vectors": [{"name": "parameters", "length": 10}]}


def checkpoint(values=b"\0\0\x80\x3f" * 10, **changes):
    header = {name: value for name, value in {**HEADER, **changes}.items() if value is not None}
    return b"\1" + json.dumps(header).encode() + b"\0" + values


for name, content in {
        "whole": checkpoint(), "bf16": checkpoint(precision="bf16"),
        "old": checkpoint(precision=None),
        "best": checkpoint(b"\0\0\x80\x3f" * 20, vectors=[
            {"name": "parameters", "length": 10}, {"name": "best_parameters", "length": 10}]),
        "averaged": checkpoint(b"\0\0\x80\x3f" * 20, vectors=[
            {"name": "ema_parameters", "length": 10}, {"name": "parameters", "length": 10}]),
        "norm": checkpoint(b"\0\0\x80\x3f" * 14, model=[
            {"type": "batch_norm"}, {"type": "flatten"}, {"type": "dense", "units": 2}],
            vectors=[{"name": "parameters", "length": 12}, {"name": "statistics", "length": 2}]),
        "conv": checkpoint(model=[
            {"type": "conv", "filters": 2, "kernel": 2}, {"type": "max_pool", "size": 1},
            {"type": "flatten"}, {"type": "dropout", "rate": 0.5}, {"type": "dense", "units": 2}]),
        "large": checkpoint(input=[4096, 4096, 1], model=[
            {"type": "flatten"}, {"type": "dense", "units": 3}, {"type": "dense", "units": 2}]),
        "too_large": checkpoint(input=[2147483647] * 3), "nothing": checkpoint(input=[0, 0, 0]),
        "unknown": checkpoint(model=[{"type": "none"}]), "twice": checkpoint(
            vectors=[{"name": "a", "length": 5}, {"name": "a", "length": 5}]),
        "length": checkpoint(vectors=[{"name": "parameters", "length": 11}]),
        "weights": checkpoint(b"\0" * 36, vectors=[{"name": "parameters", "length": 9}]),
        "no_json": b"\1{]\0", "no_object": b"\1[]\0", "no_header": b"\1",
        **{f"wrong_{name}": checkpoint(**{name: -1}) for name in HEADER}}.items():
    seed("checkpoint", name, content)
RAW = b"TUNERCKP\2\0\0\0\2\0\0\0{}\0\0\0\0"
for name, content in {
        "raw": RAW, "raw_cut": RAW[:12], "raw_short": RAW[:4], "raw_old": patched(RAW, 8, b"\1"),
        "raw_new": patched(RAW, 8, b"\3"), "raw_long": patched(RAW, 12, b"\xff")}.items():
    seed("checkpoint", name, b"\0" + content)

# One that was trained, where there is a trainer; the pools leave few weights.
CONFIG = {"model": [{"type": "max_pool", "size": 4}, {"type": "flatten"},
                    {"type": "dense", "units": 10}],
          "training": {"optimizer": {"type": "sgd", "learning_rate": 0.1}, "batch_size": 50},
          "seed": "7", "epochs": 1,
          "data": {"dataset": "synthetic", "train": 100, "validation": 50}}
if os.path.exists(TRAINER):
    config, saved = os.path.join(FOLDER, "config.json"), os.path.join(FOLDER, "saved")
    with open(config, "w") as file:
        json.dump(CONFIG, file)
    subprocess.run([TRAINER, "train", config, "--output", saved], check=True, capture_output=True)
    with open(saved, "rb") as file:
        whole = file.read()
    end = 16 + struct.unpack("<I", whole[12:16])[0]
    seed("checkpoint", "trained", b"\0" + whole)
    seed("checkpoint", "trained_mended", b"\1" + whole[16:end] + b"\0" + whole[end:-4])

# ---- ONNX, by Protocol Buffers' wire format ----


def varint(value):
    content, value = b"", value % (1 << 64)
    while value > 127:
        content, value = content + bytes([value & 127 | 128]), value >> 7
    return content + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def setting(name, value):
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, number) for number in value) + field(20, 7)


def node(operator, inputs, output, **settings):
    return field(1, b"".join(field(1, name) for name in inputs) + field(2, output)
                 + field(4, operator)
                 + b"".join(field(5, setting(*item)) for item in settings.items()))


def constant(name, *dims):
    count = 1
    for size in dims:
        count *= size
    return field(5, b"".join(field(1, size) for size in dims) + field(2, 1) + field(8, name)
                 + field(9, struct.pack(f"<{count}f", *(i % 5 - 2.5 for i in range(count)))))


def graph(*parts, dims=(3, 2, 2)):
    shape = field(1, field(2, "batch")) + b"".join(field(1, field(1, size)) for size in dims)
    return (field(1, 8) + field(2, "trainer") + field(7, b"".join(parts) + field(2, "graph")
            + field(11, field(1, "x") + field(2, field(1, field(1, 1) + field(2, shape)))))
            + field(8, field(2, 17)))


WINDOW = {"kernel_shape": [2, 2], "strides": [1, 2], "pads": [1, 0, 1, 1]}
LAST = (node("GlobalAveragePool", ["y"], "g"), node("Flatten", ["g"], "out"))
for name, content in {
        **{f"function_{name}": graph(node(name, ["x"], "y", alpha=0.25), *LAST) for name in (
            "Relu", "LeakyRelu", "Elu", "Tanh", "Sigmoid", "Erf")},
        **{f"of_two_{name}": graph(constant("c"), node(name, ["x", "c"], "a"),
                                   node(name, ["a", "x"], "y"), *LAST)
           for name in ("Add", "Mul", "Div")},
        "max_pool": graph(node("MaxPool", ["x"], "y", **WINDOW), *LAST),
        "mean_pool": graph(node("AveragePool", ["x"], "y", **WINDOW), *LAST),
        "conv": graph(constant("w", 3, 3, 2, 2), constant("b", 3),
                      node("Conv", ["x", "w", "b"], "y", **WINDOW), *LAST),
        "norm": graph(*(constant(name, 3) for name in "abcd"), node(
            "BatchNormalization", ["x", *"abcd"], "y", epsilon=0.01), *LAST),
        "dense": graph(constant("w", 3, 12), constant("b", 3), node("Flatten", ["x"], "f"),
                       node("Gemm", ["f", "w", "b"], "g", transB=1),
                       node("Softmax", ["g"], "out", axis=1)),
        "turned": graph(node("Transpose", ["x"], "y", perm=[0, 2, 3, 1]),
                        node("GlobalAveragePool", ["y"], "g"), node("Flatten", ["g"], "out")),
        "unknown": graph(node("Gelu", ["x"], "y")), "missing": graph(node("Relu", ["z"], "y")),
        "twice": graph(node("Relu", ["x"], "x")), "shape": graph(node("Relu", ["x"], "y")),
        "no_nodes": graph(), "no_model": field(1, 8), "cut": graph(node("Relu", ["x"], "y"))[:-9],
        "groups": b"\x0b\x0c", "dims": graph(node("Relu", ["x"], "y"), dims=(3, 2)),
        "huge": graph(node("Relu", ["x"], "y"), dims=(1 << 30, 1 << 30, 2)),
        "pads": graph(node("MaxPool", ["x"], "y", kernel_shape=[1, 1], strides=[1, 1],
                           pads=[(1 << 63) - 1] * 4)),
        "misfit": graph(constant("w", 2), node("Conv", ["x", "w"], "y", **WINDOW))}.items():
    seed("onnx", name, content)
