#!/bin/sh
# Makes a Debian package of what was built: packaging/deb.sh BUILD
# The result is BUILD/tuner_<version>_<architecture>.deb.
set -eu
umask 022
build=$1
version=$("$build/tuner" --version | cut -d' ' -f2)
maintainer=$(packaging/maintainer.sh)
architecture=$(dpkg --print-architecture)
package=$build/tuner_${version}_$architecture.deb
source=$build/deb
tree=$source/debian/tuner
doc=$tree/usr/share/doc/tuner

rm -rf "$source"
DESTDIR=$tree PREFIX=/usr packaging/install.sh install "$build"
strip --strip-unneeded "$tree/usr/bin/tuner" "$tree/usr/bin/trainer"
gzip -9n "$tree"/usr/share/man/man1/*.1
# Debian's places: completion for zsh among its vendors', the licence as a copyright file.
mkdir -p "$tree/usr/share/zsh/vendor-completions"
mv "$tree"/usr/share/zsh/site-functions/* "$tree/usr/share/zsh/vendor-completions"
rmdir "$tree/usr/share/zsh/site-functions"
rm "$doc/LICENSE"
packaging/copyright.sh >"$doc/copyright"
date=$(date -R -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y LICENSE)}")
gzip -9nc >"$doc/changelog.gz" <<END
tuner ($version) unstable; urgency=medium

  * Version $version.

 -- $maintainer  $date
END

mkdir -p "$tree/DEBIAN"
# The packages of the libraries, as Debian's own tool finds them; it wants to see a source
# package around the binaries.
printf 'Source: tuner\n\nPackage: tuner\nArchitecture: any\n' >"$source/debian/control"
libraries=$(cd "$source" && dpkg-shlibdeps -O -edebian/tuner/usr/bin/tuner \
    -edebian/tuner/usr/bin/trainer |
    sed -n 's/^shlibs:Depends=//p')

cat >"$tree/DEBIAN/control" <<END
Package: tuner
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f1)
Depends: $libraries
Recommends: curl
Suggests: bash-completion
Section: science
Priority: optional
Description: hyperparameter tuning for image classifiers
 Searches the best settings of a convolutional network, as a study file in YAML
 describes them: launches workers that train on one processor core each, at
 random, over a grid or with Hyperband, records every trial in an SQLite
 database, and writes a report about the best model.
 .
 A study that was interrupted, in whatever way, goes on where it was.
END
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$tree" "$package" >/dev/null
rm -rf "$source"
echo "$package"
