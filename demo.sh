#!/bin/sh
# From nothing to a report: the quickstart study in a home under the build folder.
set -eu
build=$1
home=$build/demo
"$build/tuner" run search_spaces/quickstart.yaml --home "$home"
