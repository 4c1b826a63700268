#!/bin/sh
# Installs what was built under $DESTDIR$PREFIX, or removes it again: one list for both.
#   packaging/install.sh install|uninstall BUILD
set -eu
verb=$1 build=$2
root=${DESTDIR:-}${PREFIX:-/usr/local}

put() { # mode, folder, files...
    mode=$1 folder=$root/$2
    shift 2
    for file in "$@"; do
        if [ "$verb" = install ]; then
            install -D -m "$mode" -t "$folder" "$file"
        else
            rm -f "$folder/$(basename "$file")"
        fi
    done
}

# Folders that are nobody else's; `uninstall` leaves them where a user has put something.
own() {
    for folder in "$@"; do
        [ "$verb" = install ] || rmdir "$root/$folder" 2>/dev/null || true
    done
}

put 755 bin "$build/tuner" "$build/trainer"
put 644 share/man/man1 "$build/share/tuner.1" "$build/share/trainer.1"
put 644 share/bash-completion/completions "$build/share/bash/tuner" "$build/share/bash/trainer"
put 644 share/zsh/site-functions "$build/share/zsh/_tuner" "$build/share/zsh/_trainer"
put 644 lib/systemd/system "$build/share/tuner.service"
put 644 lib/systemd/user "$build/share/tuner.service"
put 644 share/doc/tuner README.md LICENSE
put 644 share/doc/tuner/docs docs/*.md
put 644 share/doc/tuner/search_spaces search_spaces/*.yaml
put 644 share/tuner/queries db/queries/*.sql
own share/doc/tuner/search_spaces share/doc/tuner/docs share/doc/tuner share/tuner/queries share/tuner
