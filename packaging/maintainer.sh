#!/bin/sh
# Prints who a package is by, "Name <address>": $DEBFULLNAME and $DEBEMAIL, which Debian's own
# tools read (the second may be "Name <address>" by itself); where they are silent, git's
# user.name and user.email.  Where nobody says: the authors, at an address that no mail leaves for.
set -eu
name=${DEBFULLNAME:-}
address=${DEBEMAIL:-}
case $address in
*\ \<*\>)
    name=${name:-${address%% <*}}
    address=${address#*<}
    address=${address%>}
    ;;
esac
name=${name:-$(git config user.name 2>/dev/null || echo "The tuner authors")}
address=${address:-$(git config user.email 2>/dev/null || echo tuner@localhost)}
echo "$name <$address>"
