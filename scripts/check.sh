#!/bin/bash
# The style guide: what a machine can check of CONTRIBUTING.md. check.sh [STEP…]; without one: all.
# Silent steps have nothing to complain of. A step whose tool is not installed says so; setup.sh
# style installs them.
set -euo pipefail
cd "$(dirname "$0")/.."
CC=${CC:-cc}

sources() { find "$@" \( -name '*.c' -o -name '*.h' \) | LC_ALL=C sort; }
product() { sources src pipelines include; }

complain() { # reads complaints; fails if there are any
    local text
    text=$(cat)
    [ -z "$text" ] || { printf '%s\n' "$text"; return 1; }
}

step_format() {
    local tool
    tool=$(command -v clang-format-14 || true) # later ones format otherwise
    [ -n "$tool" ] || { echo "format: clang-format-14 is not installed, not checked"; return 0; }
    sources src pipelines include tests | { xargs "$tool" --dry-run --Werror 2>&1 || true; } |
        sed -nE 's|^([^: ]+):[0-9]+:[0-9]+: error:.*|\1 is not formatted: clang-format -i \1|p' |
        LC_ALL=C sort -u | complain
}

# PATTERN | files it does not bind | what to use instead. A line that must use one all the same says
# why in a comment with the word "allowed:".
banned() {
    cat <<'TABLE'
(strcpy|strcat|sprintf|vsprintf) ?\( | ^$ | hlrp_str_addf, hlrp_format or snprintf
(atoi|atol|atoll|atof|strtol|strtoll|strtoul|strtod|strtof) ?\( | ^src/util/ | hlrp_parse_int, hlrp_parse_double
strtok ?\( | ^$ | hlrp_split_commas
gets ?\( | ^$ | hlrp_read_file
(malloc|calloc|realloc|aligned_alloc|posix_memalign|alloca|strdup|asprintf) ?\( | ^src/util/ | hlrp_calloc, hlrp_calloc_aligned, hlrp_grow, hlrp_strdup, hlrp_format
(printf|puts|putchar|perror|vprintf) ?\( | ^src/cli/ | hlrp_logf
fprintf ?\((stdout|stderr) | ^src/cli/ | hlrp_logf
(exit|_exit|abort|quick_exit) ?\( | ^src/cli/ | a status
(system|popen) ?\( | ^$ | the library's own call
(rand|srand|random|drand48) ?\( | ^$ | a hash of place and seed
(localtime|ctime|asctime|gmtime|setlocale|basename|dirname) ?\( | ^src/cli/|^src/util/ | a reentrant call of util.h
(_Thread_local|__thread|thread_local) | ^$ | state that the caller holds
TABLE
}
step_banned() {
    banned | while IFS= read -r row; do
        pattern=${row%% | *}
        rest=${row#* | }
        except=${rest%% | *}
        instead=${rest#* | }
        product | { grep -vE "$except" || true; } |
            xargs grep -nE "(^|[^A-Za-z0-9_.>\"])$pattern" 2>/dev/null |
            grep -vE 'allowed:|:[0-9]+: *(/?\*|//)|__attribute__' |
            sed "s/\$/    <- use $(printf '%s' "$instead" | sed 's/[&/]/\\&/g')/" || true
    done | complain
}

# The table of CONTRIBUTING.md: | `folder` | what | modules it may include | libraries' headers |
step_includes() {
    product | xargs grep -nE '^ *# *include' | awk -v table=CONTRIBUTING.md '
    function trim(s) { gsub(/^[ `]+|[ `]+$/, "", s); return s }
    BEGIN {
        while ((getline row < table) > 0) {
            if (split(row, c, "|") < 6 || c[2] !~ /^ `[a-z\/]+` $/) continue
            folder = trim(c[2]); rows++
            n = split(c[4], m, ","); for (i = 1; i <= n; i++) may[folder, trim(m[i])] = 1
            n = split(c[5], h, ","); for (i = 1; i <= n; i++) if (trim(h[i]) != "") {
                may[folder, trim(h[i])] = 1; library[trim(h[i])] = 1 }
        }
        if (rows < 10) { print table ": the table of includes was not found"; exit }
    }
    {
        split($0, part, ":"); file = part[1]
        text = $0; sub(/^[^:]*:[0-9]+:/, "", text)
        n = split(file, f, "/"); folder = f[1] == "src" ? "src/" f[2] : f[1]
        if (folder == "src/cli" || folder == "pipelines") all = 1; else all = 0
        if (match(text, /"[^"]+"/)) {
            name = substr(text, RSTART + 1, RLENGTH - 2)
            if (name !~ /\//) { print file ": write \"module/" name "\""; next }
            module = name; sub(/\/.*/, "", module)
            if (("src/" module) == folder || module == folder || all) next
            if (!((folder, module) in may) && folder != "include")
                print file ": " folder " may not include " name
        } else if (match(text, /<[^>]+>/)) {
            name = substr(text, RSTART + 1, RLENGTH - 2)
            if ((name in library) && !((folder, name) in may))
                print file ": <" name "> belongs in another folder"
            else if (!(name in library) && name !~ /^histolrp\// &&
                     name !~ /^(assert|ctype|errno|float|inttypes|limits|locale|math|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|time|cpuid|dirent|fcntl|fnmatch|glob|immintrin|poll|pthread|sched|setjmp|strings|unistd)\.h$/ &&
                     name !~ /^sys\/[a-z]+\.h$/)
                print file ": <" name "> is in no row of the table"
        }
    }' | complain
}

step_headers() {
    local flags header generated
    generated=$(mktemp -d)
    find src -name '*.proto' | while read -r proto; do
        protoc-c --proto_path="$(dirname "$proto")" --c_out="$generated" "$proto"
    done
    flags=$(pkg-config --cflags openslide libtiff-4 hdf5 libprotobuf-c ini_config geos jansson \
        libxml-2.0 libpng libjpeg glib-2.0 zlib libdeflate 2>/dev/null || true)
    sources src pipelines include | grep '\.h$' | while read -r header; do
        # shellcheck disable=SC2086
        printf '#include "%s"\ntypedef int hlrp_not_empty;\n' "$PWD/$header" |
            $CC -std=c17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Isrc -Iinclude -I. \
                -I"$generated" $flags -x c - 2>&1 | sed -n "s|.*error: |$header does not compile alone: |p" | head -1
    done | complain || { rm -rf "$generated"; return 1; }
    rm -rf "$generated"
}

step_lengths() { product | xargs scripts/measure.sh; }

step_readmes() {
    for folder in src/*/ pipelines/ include/ configs/ tests/; do
        [ -z "$(ls -A "$folder")" ] || [ -f "$folder/README.md" ] || echo "$folder has no README.md"
    done | complain
}

# One form for one thing: pointers are asked as such, and functions leave by one label.
step_idioms() {
    {
        product | xargs grep -nE '[^)] [!=]= NULL' | sed 's/$/    <- write p or !p/' || true
        product | xargs grep -nE '^ *[a-z_]+:$' | grep -vE ': *(out|default):$' |
            sed 's/$/    <- the one label of a function is out:/' || true
    } | complain
}

# Operators are named where CONTRIBUTING.md says so; everybody else asks their row.
step_operators() {
    product | grep -vE '^src/(op|onnx|canonize|reference)/' |
        { xargs grep -nE 'hlrp_op_[a-z]' || true; } |
        sed 's/$/    <- ask the row (graph\/operator.h)/' | complain
}

# The files of pipelines include each other one way only.
step_circles() {
    grep -nE '#include "pipelines/' pipelines/*.[ch] | awk -F: '
    {
        from = $1; sub(/.*\//, "", from); sub(/\.[ch]$/, "", from)
        match($0, /"pipelines\/[^"]+"/); to = substr($0, RSTART + 11, RLENGTH - 14)
        if (from != to && !((from, to) in seen)) {
            seen[from, to] = 1; all[from] = all[from] " " to; left[from]; left[to]
        }
    }
    END {
        do { # drops what includes nothing that is left
            dropped = 0
            for (f in left) {
                n = split(all[f], w, " "); free = 1
                for (i = 1; i <= n; i++) if (w[i] in left) free = 0
                if (free) { delete left[f]; dropped++ }
            }
        } while (dropped)
        for (f in left) print "pipelines/" f ": in a circle of includes, or above one"
    }' | LC_ALL=C sort | complain
}

# Paths of the machine it was written on, and tabs.
step_words() {
    {
        { git ls-files 2>/dev/null || find . -type f -not -path './.git/*' -not -path './build*' -not -path './demo/*' |
            sed 's|^\./||'; } | grep -vE '^(LICENSE|scripts/check\.sh)$' |
            xargs grep -nIE '/(work|root|home)/[a-z]' || true
        product | xargs grep -nP '\t' | sed 's/$/    <- a tab/' || true
        product | xargs grep -nP '\b(TODO|FIXME|XXX)\b' || true
    } | complain
}

step_shell() {
    command -v shellcheck >/dev/null ||
        { echo "shell: shellcheck is not installed, not checked"; return 0; }
    { find scripts tests -name '*.sh'; echo .ci/run; } | LC_ALL=C sort | xargs shellcheck -S warning
}

steps=("$@")
[ ${#steps[@]} -gt 0 ] ||
    steps=(format banned includes headers lengths readmes idioms operators circles words shell)
status=0
for step in "${steps[@]}"; do
    "step_$step" || { echo "check.sh: $step: failed" >&2; status=1; }
done
exit $status
