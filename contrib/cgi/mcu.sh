#!/bin/sh
# mcu.sh - PUT, GET and POST of /mcu[/{rom}[/{ram}]] as a CGI script over rv32im
# SPDX-License-Identifier: MIT
#
# The environment comes from the web server (lighttpd.conf): MOTE_STORE is the store's folder,
# MOTE_RV32IM the program, both absolute; MOTE_HOSTS, MOTE_MAX_CYCLES, MOTE_MAX_MS, MOTE_QUEUE_S may
# be set. Below the store:
#   rom/{id}        a ROM, as it was uploaded
#   ram/{id}/image  a session's RAM; whoever runs or replaces it holds a lock on the folder
#   tmp/            a folder for each request under way, and lighttpd's files of their bodies
# A run works on a copy of the RAM. Renaming that copy over the image commits, before the reply and
# only where the run did not fault, so a session has all of a run or none of it.
set -fu
umask 077
# shellcheck disable=SC3045 # dash and bash have it
ulimit -c 0
unset CDPATH ENV HTTP_PROXY IFS
PATH=/usr/local/bin:/usr/bin:/bin
LC_ALL=C
export PATH LC_ALL

window=33554432 # bytes of ROM, RAM, IN and OUT
hex='[0123456789abcdefABCDEF]'
hex4=$hex$hex$hex$hex
uuid4="$hex4$hex4-$hex4-4$hex$hex$hex-[89abAB]$hex$hex$hex-$hex4$hex4$hex4"

method=${REQUEST_METHOD-}
body_size=${CONTENT_LENGTH:-0}
work='' # this request's folder
run=''  # the process group of the run
rom='' ram='' cookie_rom='' cookie_ram='' # ids
fields='' # what one kind of reply has beside those of all: lines with their ends

# ---- how it ends

# lighttpd sends SIGTERM as soon as it has the whole reply, and dash forgets its EXIT trap where
# another one exits meanwhile. Once there is a reply there is nothing left to stop.
deafen()
{
    trap '' HUP INT PIPE TERM
}

cleanup()
{
    [ -z "$run" ] || kill -KILL "-$run" "$run" 2>/dev/null
    [ -z "$work" ] || rm -rf "$work"
}
trap cleanup EXIT
trap 'deafen; exit 143' HUP INT PIPE TERM # the server has no use for this any more

# head_fields STATUS: the reply's fields up to those of its body.
head_fields()
{
    deafen
    printf 'Status: %s\nX-Content-Type-Options: nosniff\nContent-Security-Policy: sandbox\n' "$1"
    if [ "$method" = POST ]; then
        printf 'Cache-Control: no-store\nVary: Cookie\n'
    else
        printf 'Cache-Control: private, no-cache\nVary: Cookie\n'
    fi
    printf '%s' "$fields"
}

# title_of STATUS: sets `title` to the status's words, as the server has them.
# {{titles}} of src/http/status.def, which `make docs` puts here
title_of()
{
    case $1 in
    400) title="Bad Request" ;;
    401) title="Unauthorized" ;;
    402) title="Payment Required" ;;
    403) title="Forbidden" ;;
    404) title="Not Found" ;;
    405) title="Method Not Allowed" ;;
    406) title="Not Acceptable" ;;
    408) title="Request Timeout" ;;
    409) title="Conflict" ;;
    410) title="Gone" ;;
    411) title="Length Required" ;;
    412) title="Precondition Failed" ;;
    413) title="Content Too Large" ;;
    414) title="URI Too Long" ;;
    415) title="Unsupported Media Type" ;;
    416) title="Range Not Satisfiable" ;;
    417) title="Expectation Failed" ;;
    418) title="I'm a teapot" ;;
    421) title="Misdirected Request" ;;
    422) title="Unprocessable Content" ;;
    423) title="Locked" ;;
    425) title="Too Early" ;;
    426) title="Upgrade Required" ;;
    428) title="Precondition Required" ;;
    429) title="Too Many Requests" ;;
    431) title="Request Header Fields Too Large" ;;
    451) title="Unavailable For Legal Reasons" ;;
    500) title="Internal Server Error" ;;
    501) title="Not Implemented" ;;
    502) title="Bad Gateway" ;;
    503) title="Service Unavailable" ;;
    504) title="Gateway Timeout" ;;
    505) title="HTTP Version Not Supported" ;;
    507) title="Insufficient Storage" ;;
    esac
}
# {{end}}

# problem STATUS TYPE TEXT [MEMBERS]: answers with an error document (RFC 9457) and ends.
problem()
{
    title_of "$1"
    text=$(printf '%s' "$3" | tr -cd '\040-\176' | sed 's/[\\"]/\\&/g')
    head_fields "$1"
    case $1 in 429 | 503) printf 'Retry-After: 1\n' ;; esac
    printf 'Content-Type: application/problem+json\n\n'
    printf '{"type":"urn:mote:problem:%s","title":"%s","status":%s,"detail":"%s"%s}\n' \
        "$2" "$title" "$1" "$text" "${4-}"
    exit 0
}

store_full()
{
    problem 507 store-full 'the store has no room for this'
}

# ---- ids

# is_id TEXT: whether it is a version 4 UUID, and so nothing else, as a path for example.
is_id()
{
    # shellcheck disable=SC2254 # the pattern is meant
    case $1 in
    $uuid4) return 0 ;;
    *) return 1 ;;
    esac
}

# Sets `lower` to TEXT with small letters.
lower()
{
    lower=$1
    case $1 in
    *[ABCDEFGHIJKLMNOPQRSTUVWXYZ]*) lower=$(printf '%s' "$1" | tr '[:upper:]' '[:lower:]') ;;
    esac
}

# Sets `id` to TEXT with small letters.
small()
{
    lower "$1"
    id=$lower
}

new_id()
{
    read -r id </proc/sys/kernel/random/uuid || problem 500 internal 'the kernel gives no UUID'
}

rom_exists()
{
    [ -f "$MOTE_STORE/rom/$1" ]
}

ram_exists()
{
    [ -f "$MOTE_STORE/ram/$1/image" ]
}

# The first good value of each name counts, and only where there still is such a thing.
read_cookies()
{
    IFS=';'
    for pair in ${HTTP_COOKIE-}; do
        pair=${pair# }
        name=${pair%%=*} value=${pair#*=}
        value=${value#\"} value=${value%\"}
        is_id "$value" || continue
        small "$value"
        case $name in
        rom) cookie_rom=${cookie_rom:-$id} ;;
        ram) cookie_ram=${cookie_ram:-$id} ;;
        esac
    done
    unset IFS
    [ -z "$cookie_rom" ] || rom_exists "$cookie_rom" || cookie_rom=
    [ -z "$cookie_ram" ] || ram_exists "$cookie_ram" || cookie_ram=
}

# cookie NAME ID: a line for the reply; without ID one that expires it.
cookie()
{
    end='; Path=/mcu; HttpOnly; SameSite=Strict'
    [ "${HTTPS-}" != on ] || end="$end; Secure"
    [ -n "$2" ] || end="$end; Max-Age=0"
    fields="${fields}Set-Cookie: $1=$2$end
"
}

# /{rom}/{ram} of the path; both may be missing.
read_path()
{
    case ${PATH_INFO-} in
    '') return ;;
    /*/*/*) problem 404 path 'there is nothing at this path' ;;
    /*/*) rom=${PATH_INFO#/} ram=${PATH_INFO##*/} rom=${rom%%/*} ;;
    *) rom=${PATH_INFO#/} ;;
    esac
    is_id "$rom" || problem 400 bad-id "the {rom} of the path, $rom, is no version 4 UUID"
    small "$rom"
    rom=$id
    case $PATH_INFO in
    /*/*)
        is_id "$ram" || problem 400 bad-id "the {ram} of the path, $ram, is no version 4 UUID"
        small "$ram"
        ram=$id
        ;;
    esac
}

# The ROM that path or cookie names.
need_rom()
{
    if [ -z "$rom" ]; then
        rom=$cookie_rom
        [ -n "$rom" ] || problem 404 no-rom 'neither the path nor a cookie names a ROM'
    fi
    rom_exists "$rom" || problem 404 not-found 'there is no such ROM'
}

# ---- what is refused before anything is done

# Takes the Host apart, whose letters are small already: `name`, and `port`, which may be empty.
split_host()
{
    port=
    case $1 in
    '['*']') name=$1 ;;
    '['*']:'*) name=${1%:*} port=${1##*:} ;;
    *:*) name=${1%%:*} port=${1#*:} ;;
    *) name=$1 ;;
    esac
    case $port in
    *[!0123456789]* | ????????????*) port=65536 ;; # none at all
    esac
    [ "${port:-0}" -le 65535 ] ||
        problem 400 bad-host "the Host $1 is not a host and, if any, a port up to 65535"
}

# Whether the Host HOST is one that we go by.
is_our_host()
{
    split_host "$1"
    for good in localhost 127.0.0.1 '[::1]' ${MOTE_HOSTS-}; do
        lower "$good"
        [ "$name" != "$lower" ] || return 0
    done
    return 1
}

# What a page of another site must not make a browser do.
refuse_tricks()
{
    lower "${HTTP_HOST-}"
    host=$lower
    [ -z "$host" ] || is_our_host "$host" ||
        problem 421 host 'the Host is none of localhost, 127.0.0.1, [::1] and MOTE_HOSTS'
    case $method in PUT | POST) ;; *) return ;; esac
    scheme=http
    [ "${HTTPS-}" != on ] || scheme=https
    lower "${HTTP_ORIGIN-}"
    case $lower in
    '' | "$scheme://$host") ;;
    *) problem 403 origin "the Origin is another site's" ;;
    esac
    case ${HTTP_SEC_FETCH_SITE-} in
    '' | same-origin | none) ;;
    *) problem 403 site 'Sec-Fetch-Site is neither same-origin nor none' ;;
    esac
}

# Fields that would do harm if they were ignored.
refuse_unbuilt()
{
    case $method in PUT | POST) ;; *) return ;; esac
    given=
    for name in MCU_EPHEMERAL MCU_SEED IDEMPOTENCY_KEY IF_MATCH IF_NONE_MATCH IF_UNMODIFIED_SINCE \
        CONTENT_DIGEST REPR_DIGEST; do
        eval "[ -z \"\${HTTP_$name+x}\" ] || given=$name"
    done
    [ -z "$given" ] || problem 501 not-built "the request field $given is not here"
    [ "$method" = PUT ] || return
    [ -z "${HTTP_CONTENT_RANGE+x}" ] ||
        problem 400 range 'a PUT replaces the whole: no Content-Range'
    case "&${QUERY_STRING-}" in
    '&') ;;
    '&format='*) problem 501 not-built 'the CGI road has no ?format=' ;;
    *) problem 400 query "the query of a PUT has no such key here: $QUERY_STRING" ;;
    esac
}

check_body()
{
    case $body_size in
    *[!0123456789]* | ????????????*) problem 413 too-large 'Content-Length is no usable number' ;;
    esac
    IFS=' 	,' # an empty element of the list means nothing
    for coding in ${HTTP_CONTENT_ENCODING-}; do
        case $coding in
        '' | [Ii][Dd][Ee][Nn][Tt][Ii][Tt][Yy]) ;;
        *) problem 415 encoding 'a body is taken as it is: no Content-Encoding' ;;
        esac
    done
    unset IFS
    [ "$body_size" -le "$window" ] ||
        problem 413 too-large "a body of $body_size bytes; at most $window fit into a window"
}

# ---- files

# Takes away the folders of scripts that had no chance to do it, as in a power cut, and the bodies
# that lighttpd was taking then (lighttpd-upload-*). None that is in use is so old: rv32im knows no
# longer cap than an hour.
sweep()
{
    [ "$method" != PUT ] || find "$MOTE_STORE/tmp" -mindepth 1 -maxdepth 1 -mmin +120 \
        -exec rm -rf {} + 2>/dev/null
}

make_work()
{
    sweep
    work=$(mktemp -d "$MOTE_STORE/tmp/XXXXXXXXXXXX") || store_full
    cd "$work" || store_full
}

# Takes the request's body into the file `body`.
take_body()
{
    head -c "$body_size" >body || store_full
    set -- "$(wc -c <body)"
    [ "$1" -eq "$body_size" ] ||
        problem 400 bad-request "the body ended after $1 of $body_size bytes"
}

# commit FILE TARGET: the file takes the target's place and both are on the disk when this returns.
commit()
{
    sync "$1" && mv -fT "$1" "$2" && sync "${2%/*}"
}

# commit_ram FILE: the same for the session's image, whose folder may be new, too.
commit_ram()
{
    commit "$1" "$MOTE_STORE/ram/$ram/image" && sync "$MOTE_STORE/ram"
}

# One request at a time for each session: waits for its turn, which ends with this process. The
# lock is on the folder, since the image is replaced.
take_turn()
{
    mkdir -p "$MOTE_STORE/ram/$ram" || store_full
    exec 9<"$MOTE_STORE/ram/$ram"
    flock -w "${MOTE_QUEUE_S:-30}" 9 ||
        problem 429 queue-timeout "the session was busy for ${MOTE_QUEUE_S:-30} s"
}

# ---- the program

# machine MS ARGUMENT...: runs rv32im and sets `status`; one that is still there 5 s after MS, its
# wall-clock cap, is killed (137). In the background, since dash hears no signal while it waits for
# what is in the foreground.
machine()
{
    seconds=$(($1 / 1000 + 5))
    shift
    # timeout leads a process group, so that both can be killed at once.
    timeout -s KILL "$seconds" "$MOTE_RV32IM" "$@" >/dev/null 2>err 9<&- &
    run=$!
    wait "$run"
    status=$?
    run=
}

refuse_killed()
{
    [ "$status" -le 125 ] || problem 503 worker-died "the process of the run died; $1"
}

# ---- PUT and GET

# Finds out whether a machine can be laid out from the file `body`, by a run of one cycle, and the
# image's format and entry point.
check_image()
{
    : >in
    max_ms=${MOTE_MAX_MS:-10000}
    machine "$max_ms" --max-cycles 1 --max-ms "$max_ms" --console /dev/null --stats-file stats \
        body ram in out
    refuse_killed 'nothing is stored'
    words=$(head -c 500 err)
    case $status in
    124) problem 422 bad-image "${words#rv32im: ROM body: }" ;;
    125) store_full ;;
    esac
    format=$(sed -n 's/^image=//p' stats)
    entry=$(sed -n 's/^entry=//p' stats)
}

hash_of()
{
    hash=$(sha256sum <"$1") && hash=${hash%% *}
}

put_rom()
{
    make_work
    take_body
    check_image
    hash_of body
    if [ -z "$rom" ]; then
        new_id
        rom=$id
        cookie rom "$rom"
        cookie ram ''
    fi
    status=201
    ! rom_exists "$rom" || status=200
    commit body "$MOTE_STORE/rom/$rom" || store_full
    head_fields $status
    printf 'Location: /mcu/%s\nETag: "%s"\nContent-Type: application/json\n\n' "$rom" "$hash"
    printf '{"id":"%s","size":%s,"sha256":"%s","format":"%s","entry":%s}\n' \
        "$rom" "$body_size" "$hash" "$format" $((entry))
}

put_ram()
{
    make_work
    take_body
    take_turn
    status=201
    ! ram_exists "$ram" || status=200
    # Always of the window's size: an empty file would be a session that never ran.
    cp --sparse=always body image || store_full
    truncate -s "$window" image || store_full
    commit_ram image || store_full
    head_fields $status
    printf 'Location: /mcu/%s/%s\nContent-Length: 0\n\n' "$rom" "$ram"
}

get_rom()
{
    need_rom
    make_work
    ln "$MOTE_STORE/rom/$rom" body 2>/dev/null || problem 404 not-found 'there is no such ROM'
    hash_of body
    head_fields 200
    printf 'ETag: "%s"\nContent-Length: %s\n' "$hash" "$(wc -c <body)"
    printf 'Content-Type: application/octet-stream\n\n'
    cat body
}

# Sets `high` to the length of FILE without the zeros at its end: from `high` on there are only
# zeros, before `low` there is a byte that is none.
cut_zeros()
{
    low=0 high=$(wc -c <"$1")
    while [ "$low" -lt "$high" ]; do
        middle=$(((low + high) / 2))
        if cmp -s -i "$middle:0" -n $((high - middle)) "$1" /dev/zero; then
            high=$middle
        else
            low=$((middle + 1))
        fi
    done
}

get_ram()
{
    make_work
    # A commit puts a new file in its place, so this one stays as it is.
    ln "$MOTE_STORE/ram/$ram/image" image 2>/dev/null ||
        problem 404 not-found 'there is no such session'
    cut_zeros image
    head_fields 200
    printf 'Content-Length: %s\nContent-Type: application/octet-stream\n\n' "$high"
    head -c "$high" image
}

# ---- POST

# lower_cap FIELD VALUE CAP: sets `cap` to the lower one of both.
lower_cap()
{
    cap=$3
    [ -n "$2" ] || return
    case $2 in
    *[!0123456789]* | ???????????????????*)
        problem 400 bad-header "$1 is no number of 1 to 18 digits: $2"
        ;;
    esac
    [ "$2" -gt 0 ] || problem 400 bad-header "$1 is zero"
    [ "$2" -ge "$cap" ] || cap=$2
}

# Which session: the path's, else the cookie's where it belongs to this ROM, else a new one.
choose_ram()
{
    is_new=no
    unkept='the session is unchanged' # where nothing of the run is kept
    if [ -n "$ram" ]; then
        ram_exists "$ram" || problem 404 not-found 'there is no such session'
    elif [ -n "$cookie_ram" ] && [ "$cookie_rom" = "$rom" ]; then
        ram=$cookie_ram
    else
        new_id
        ram=$id is_new=yes
        unkept='no session was made'
    fi
}

# Runs the machine on `ram`, a copy of the session's; sets `status` and what the statistics say.
run_machine()
{
    # The ids are rights, which are not the guest's business.
    SCRIPT_NAME=/mcu PATH_INFO=''
    export SCRIPT_NAME PATH_INFO
    machine "$max_ms" --cgi --max-cycles "$max_cycles" --max-ms "$max_ms" --headers headers \
        --stats-file stats --console /dev/null "$MOTE_STORE/rom/$rom" ram body out
    halt='' exit_code=0 cycles=0 instructions=0 out_len=0 mcause=0 mepc=0 mtval=0
    [ -f stats ] || return
    while IFS='=' read -r key value; do
        case $key in
        halt) halt=$value ;;
        exit_code) exit_code=$value ;;
        cycles) cycles=$value ;;
        instructions) instructions=$value ;;
        out_len) out_len=$value ;;
        mcause) mcause=$value ;;
        mepc) mepc=$value ;;
        mtval) mtval=$value ;;
        esac
    done <stats
}

# {{dropped}} of src/service/forbidden.def, which `make docs` puts here
forbidden='^(status|'\
'set-cookie.*|'\
'set-login|'\
'www-authenticate|'\
'authentication-info|'\
'clear-site-data|'\
'activate-storage-access|'\
'sec-.*|'\
'secure-session-.*|'\
'content-length|'\
'transfer-encoding|'\
'date|'\
'connection|'\
'keep-alive|'\
'proxy-.*|'\
'te|'\
'trailer|'\
'upgrade|'\
'cache-control|'\
'.*-cache-control|'\
'edge-.*|'\
'netlify-.*|'\
'surrogate-.*|'\
'x-accel-.*|'\
'x-lighttpd-.*|'\
'x-reproxy-.*|'\
'x-sendfile.*|'\
'x-content-type-options|'\
'x-content-security-policy.*|'\
'x-webkit-csp.*|'\
'x-frame-options|'\
'x-xss-protection|'\
'x-permitted-cross-domain-policies|'\
'x-dns-prefetch-control|'\
'content-security-policy.*|'\
'cross-origin-.*|'\
'document-policy.*|'\
'feature-policy.*|'\
'integrity-policy.*|'\
'permissions-policy.*|'\
'referrer-policy|'\
'require-document-policy|'\
'origin-agent-cluster|'\
'service-worker-allowed|'\
'speculation-rules|'\
'supports-loading-mode|'\
'timing-allow-origin|'\
'access-control-.*|'\
'refresh|'\
'strict-transport-security|'\
'public-key-pins.*|'\
'expect-ct|'\
'accept-ch.*|'\
'critical-ch|'\
'alt-svc|'\
'report-to|'\
'reporting-endpoints|'\
'nel|'\
'attribution-reporting-.*|'\
'observe-browsing-topics|'\
'server-timing|'\
'mcu-.*)$'
# {{end}}

# Sorts the guest's header lines: those that it may set go to the file `given`, its status into
# `guest_status` (`bad` where it is none). Of several Status or Content-Type the last counts. Those
# of `forbidden` are dropped; some of them would make a web server send its own files (X-Sendfile
# and the like).
read_guest_headers()
{
    : >given
    guest_status=$(awk -v forbidden="$forbidden" '
        { name = tolower(substr($0, 1, index($0, ":") - 1)) }
        name == "status" {
            value = substr($0, index($0, ":") + 1)
            sub(/^[ \t]+/, "", value)
            status = value ~ /^[2-5][0-9][0-9]( |$)/ ? substr(value, 1, 3) : "bad"
            if (status == "bad") exit
            next
        }
        name ~ forbidden { next }
        name == "content-type" { type = $0; next }
        { print > "given" }
        END {
            print type == "" ? "Content-Type: application/octet-stream" : type > "given"
            print status
        }' headers) || store_full
}

# say NAME VALUE: a field of the run's report.
say()
{
    fields="$fields$1: $2
"
}

report_run()
{
    new_id
    fields=
    say Mcu-Halt "$halt"
    [ "$halt" != power-down ] || say Mcu-Exit-Code "$exit_code"
    say Mcu-Cycles "$cycles"
    say Mcu-Instructions "$instructions"
    say Mcu-Rom "$rom"
    say Mcu-Run "$id"
    [ "$is_new$1" = yesno ] || say Mcu-Ram "$ram"
    say Mcu-Committed "$1"
}

send_out()
{
    if [ "$1" = 204 ] || [ "$1" = 205 ] || [ "$1" = 304 ]; then
        printf '\n'
    else
        printf 'Content-Length: %s\n\n' "$out_len"
        head -c "$out_len" out 2>/dev/null
    fi
}

# wants_bytes: whether Accept rates OUT higher than a report, read as src/service/accept.c does: of
# the ranges that cover a type the closest counts, of several such the first.
wants_bytes()
{
    printf '%s\n' "${HTTP_ACCEPT-*/*}" | awk '
        function trim(text) { gsub(/^[ \t]+|[ \t]+$/, "", text); return text }
        function rate(list, type,    ranges, parts, pair, n, m, i, j, range, near, best, q, rated) {
            best = rated = 0
            n = split(list, ranges, ",")
            for (i = 1; i <= n; i++) {
                m = split(ranges[i], parts, ";")
                range = tolower(trim(parts[1]))
                near = range == "*/*" ? 1 : range == substr(type, 1, index(type, "/")) "*" ? 2 : 0
                near = range == type ? 3 : near
                q = 1
                for (j = 2; j <= m; j++) {
                    split(parts[j] "=", pair, "=")
                    if (tolower(trim(pair[1])) == "q") {
                        q = trim(substr(parts[j], index(parts[j] "=", "=") + 1))
                        q = q ~ /^(0(\.[0-9]?[0-9]?[0-9]?)?|1(\.0?0?0?)?)$/ ? q + 0 : -1
                    }
                }
                if (q >= 0 && near > best) {
                    best = near
                    rated = q
                }
            }
            return rated
        }
        { exit !(rate($0, "application/octet-stream") > rate($0, "application/problem+json")) }'
}

answer_fault()
{
    report_run no
    if wants_bytes; then
        head_fields 502
        printf 'Content-Type: application/octet-stream\n'
        send_out 502
        exit 0
    fi
    words=$(head -c 500 err)
    problem 502 fault "${words#rv32im: }; $unkept" ",\"cycles\":$cycles,\
\"instructions\":$instructions,\"mcause\":$((mcause)),\"pc\":\"$mepc\",\"address\":\"$mtval\""
}

# A run that did not come to an end of its own or of its caps: nothing of it is kept.
refuse_failed_run()
{
    case $status in
    123) answer_fault ;;
    124) problem 422 bad-image 'the ROM can no longer be laid out' ;;
    125)
        case $(head -c 500 err) in
        '' | *' no room'* | *'o space'*) store_full ;; # even the words found no room
        esac
        problem 503 unavailable 'the run was cut short by trouble of the host'
        ;;
    esac
    refuse_killed "$unkept"
    read_guest_headers
    [ "$guest_status" != bad ] || {
        halt=fault
        echo 'the guest set a Status that is not 200 to 599' >err
        answer_fault
    }
}

# What the reply's status is, unless the guest has a say and said so.
status_of_run()
{
    case $halt in
    cycles | time) status=504 ;;
    *)
        status=200
        [ "$exit_code" = 0 ] || status=502
        status=${guest_status:-$status}
        ;;
    esac
}

post_run()
{
    need_rom
    lower_cap Mcu-Max-Cycles "${HTTP_MCU_MAX_CYCLES-}" "${MOTE_MAX_CYCLES:-1000000000}"
    max_cycles=$cap
    lower_cap Mcu-Max-Ms "${HTTP_MCU_MAX_MS-}" "${MOTE_MAX_MS:-10000}"
    max_ms=$cap
    choose_ram
    make_work
    take_body
    if [ "$is_new" = no ]; then
        take_turn
        cp --reflink=auto --sparse=always "$MOTE_STORE/ram/$ram/image" ram || store_full
    fi
    run_machine
    refuse_failed_run
    [ "$is_new" = no ] || take_turn
    if ! commit_ram ram; then
        report_run no
        store_full
    fi
    exec 9<&- # the next one's turn, while this reply is on its way
    report_run yes
    if [ "$is_new" = yes ]; then
        cookie rom "$rom"
        cookie ram "$ram"
    fi
    status_of_run
    head_fields "$status"
    cat given
    send_out "$status"
}

# ---- one request

allow='Allow: GET, HEAD, OPTIONS, POST, PUT
'
MOTE_STORE=${MOTE_STORE:-/nowhere}
for folder in rom ram tmp; do
    [ -w "$MOTE_STORE/$folder" ] ||
        problem 500 internal 'MOTE_STORE has no writable rom, ram and tmp'
done
[ -x "${MOTE_RV32IM-}" ] || problem 500 internal 'MOTE_RV32IM is not a program'
refuse_tricks
read_path
case $method in
GET | HEAD | OPTIONS | POST | PUT) ;;
*)
    fields=$allow
    problem 405 method "$method is none of the methods that Allow lists"
    ;;
esac
refuse_unbuilt
check_body
read_cookies
case $method in
OPTIONS)
    fields=$allow
    head_fields 204
    printf '\n'
    ;;
PUT) if [ -n "$ram" ]; then put_ram; else put_rom; fi ;;
POST) post_run ;;
*) if [ -n "$ram" ]; then get_ram; else get_rom; fi ;;
esac
