#!/bin/bash -eu
exec "$SRC/vtcp/fuzz/build.sh"
