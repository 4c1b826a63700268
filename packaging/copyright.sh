#!/bin/sh
# The licence in the form that Debian gives to copyright files.
set -eu
holder=$(sed -n 's/^Copyright (c) //p' LICENSE)
cat <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: tuner

Files: *
Copyright: $holder
License: Expat

License: Expat
END
sed -e '1,/^Copyright/d' LICENSE | sed -e '1{/^$/d}' -e 's/^$/./' -e 's/^/ /'
