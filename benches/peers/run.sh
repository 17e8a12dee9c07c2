#!/usr/bin/env bash
# Builds Plimsoll and every peer that can be had here, runs each three times in turn, prints one table of the best runs.
#
#   benches/peers/run.sh [ROUNDS]
#
# Then the margins of a million accounts: `plimsoll margin --accounts`, and the same maintenance margins in NumPy.
#
# Needs Rust, Linux and the network; python3 (3.11) for nautilus_trader and NumPy, pip and g++ for lrvx. A peer that fails is named in
# the table with its reason. CARGO_TARGET_DIR is respected; the venv and the sources go to .venv and .work beside this file.
set -u
cd "$(dirname "$0")" || exit 1
rounds=${1:-3}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
bin=$CARGO_TARGET_DIR/release
work=$PWD/.work
python=.venv/bin/python
pip=(.venv/bin/pip --disable-pip-version-check --quiet)
flow=$work/flow.bin
mkdir -p "$work"
rm -f "$work"/*.reason "$work"/*.log "$work/results.tsv"
touch "$work/results.tsv"

# step PEER REASON COMMAND…: a failure is kept as the reason why PEER is not measured.
step() {
    local peer=$1 reason=$2
    shift 2
    [ -e "$work/$peer.reason" ] && return 1
    "$@" >>"$work/$peer.log" 2>&1 && return 0
    echo "$reason: $(tail -n 1 "$work/$peer.log" | cut -c 1-160)" >"$work/$peer.reason"
    return 1
}

build_lrvx() {
    local from=$work/lrvx-0.11.0
    if [ ! -d "$from" ]; then
        "${pip[@]}" download --no-deps --no-binary lrvx --require-hashes -r lrvx.txt -d "$work" || return 1
        tar xzf "$work/lrvx-0.11.0.tar.gz" -C "$work" || return 1
    fi
    # The flags of its own release build.
    g++ -std=c++23 -O3 -flto=auto -funroll-loops -march=native -DNDEBUG -DLRVX_VERSION_TEXT='"0.11.0"' \
        -I"$from/include" -I"$from/venue/include" lrvx.cpp "$from/venue/src/reject_reason.cpp" \
        "$from/src/clearing/account.cpp" -o "$work/lrvx"
}

# The bench makes the files and prints our times; margins.py compares its margins with the figures of its last run.
margins() {
    local made=$CARGO_TARGET_DIR/tmp/accounts
    cargo bench --manifest-path ../../Cargo.toml --locked -p plimsoll-cli --bench accounts >"$work/numpy.out" || return 1
    "$python" margins.py "$bin/plimsoll" "$made"/{accounts.parquet,prices.toml,figures.parquet} >>"$work/numpy.out"
}

echo "load before: $(cat /proc/loadavg)"
cargo build --release --locked --bin ours || exit 1
"$bin/ours" flow "$flow" || exit 1
step lfest "does not build" env RUSTC_BOOTSTRAP=1 cargo build --release --locked --features lfest --bin lfest
if [ ! -x "$python" ]; then
    step nautilus "no venv" python3 -m venv .venv
fi
step nautilus "does not install" "${pip[@]}" install nautilus_trader==1.221.0
step lrvx "does not build" build_lrvx
step numpy "does not install" "${pip[@]}" install numpy==2.4.1 pyarrow==22.0.0

for round in $(seq "$rounds"); do
    echo "round $round of $rounds" >&2
    "$bin/ours" run "$flow" >>"$work/results.tsv" || exit 1
    for peer in lfest lrvx nautilus; do
        case $peer in
            lfest) command=("$bin/lfest" "$flow") ;;
            lrvx) command=("$work/lrvx" "$flow") ;;
            nautilus) command=("$python" nautilus.py "$flow") ;;
        esac
        # Results first into a file of their own, so that a run that dies half-way leaves nothing in the table.
        step "$peer" "fails" bash -c '"${@:2}" >"$1"' - "$work/$peer.out" "${command[@]}" &&
            cat "$work/$peer.out" >>"$work/results.tsv"
    done
done

python3 report.py "$work"
if step numpy "fails" margins; then cat "$work/numpy.out"; else echo "NumPy: not measured: $(cat "$work/numpy.reason")"; fi
echo "load after: $(cat /proc/loadavg)"
