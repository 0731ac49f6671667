#!/bin/sh
# Makes this machine ready: Deno, and on Linux a Vulkan driver where no adapter
# answers. Run it as often as you like: what is already there stays as it is.
#
#   sh setup.sh && deno task train
#
# It asks nothing. It needs npm or curl, and for drivers root or a sudo without
# password; where it may not install something it prints the one command that
# does, and ends with status 1.
set -eu

NEEDED="2.8.0"    # the oldest Deno whose text imports are stable
INSTALLED="2.9.6" # what is installed where none is, or an older one
VULKAN="libvulkan1 mesa-vulkan-drivers"

say() { printf 'setup: %s\n' "$@"; }

fail() {
  say "$@" >&2
  exit 1
}

main() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  home=${HOME:-/nonexistent}
  left_to_do=""

  deno=$(command -v deno || true)
  if is_new_enough "$deno"; then
    say "deno $(version_of "$deno") is $deno"
  else
    install_deno
  fi

  if adapter=$(adapter_of); then
    say "the WebGPU adapter is $adapter"
  else
    install_driver
  fi

  [ -z "$left_to_do" ] || fail "not ready yet: $left_to_do"
  say "ready"
}

# Deno -----------------------------------------------------------------------

# Prints the version of a deno, or nothing where it does not run.
version_of() { "$1" --version 2>/dev/null | sed -n 's/^deno \([0-9.]*\).*/\1/p'; }

is_new_enough() {
  [ -n "$1" ] || return 1
  has=$(version_of "$1")
  [ -n "$has" ] && [ "$(printf '%s\n%s\n' "$NEEDED" "$has" |
    sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" = "$NEEDED" ]
}

# Puts a new deno where `deno` on the PATH finds it: over an older one, else in
# a folder of the PATH that may be written to, else in ~/.local/bin.
install_deno() {
  [ -z "$deno" ] || say "$deno is older than $NEEDED, or does not run"
  find_off_path || fetch_with_npm || fetch_with_curl || fail "$problem"

  if folder=$(writable_folder); then
    put
  elif on_path /usr/local/bin && sudo -n true 2>/dev/null; then
    folder=/usr/local/bin
    put sudo -n
  else
    folder="$home/.local/bin"
    mkdir -p "$folder" 2>/dev/null ||
      fail "there is no folder to put deno in: neither on the PATH nor $folder"
    [ "$source" = "$folder/deno" ] || put
  fi

  hash -r
  if [ "$(command -v deno)" != "$folder/deno" ]; then
    left_to_do="run  export PATH=\"$folder:\$PATH\"  and then this again"
    PATH="$folder:$PATH"
  fi
}

# Sets $source to a deno that is here but not on the PATH, as the official
# installer leaves it.
find_off_path() {
  for source in "$home/.local/bin/deno" "$home/.deno/bin/deno"; do
    is_new_enough "$source" && return
  done
  return 1
}

# npm carries the bare program in a package of its own. Taking that one needs
# no install script, which npm may refuse to run, and no global folder.
fetch_with_npm() {
  problem="Deno is missing, and neither npm nor curl is here to fetch it"
  name_build
  command -v npm >/dev/null || return 1
  say "fetching deno $INSTALLED with npm"
  if npm install --prefix "$work/npm" --cache "$work/cache" --ignore-scripts \
    --no-audit --no-fund --no-update-notifier --loglevel=error \
    "@deno/$npm_name@$INSTALLED" >"$work/log" 2>&1 </dev/null; then
    source="$work/npm/node_modules/@deno/$npm_name/deno"
  else
    problem="npm cannot fetch Deno: $(sed -n 's/^npm [eE][rR][rR][^ ]* //p' \
      "$work/log" | head -n 4 | tr '\n' ' ')"
    return 1
  fi
}

fetch_with_curl() {
  command -v curl >/dev/null || return 1
  [ ! -e "$work/log" ] || say "$problem"
  if ! command -v unzip >/dev/null && ! install_packages unzip; then
    fail "unpacking Deno needs unzip; ask an administrator to run:" \
      "  apt-get install unzip"
  fi
  url="https://dl.deno.land/release/v$INSTALLED/deno-$archive.zip"
  say "fetching $url"
  if curl --fail --location --silent --show-error --retry 2 \
    --output "$work/deno.zip" "$url" 2>"$work/log"; then
    unzip -q -o "$work/deno.zip" -d "$work"
    source="$work/deno"
  else
    problem="curl cannot fetch Deno: $(tail -n 1 "$work/log")"
    return 1
  fi
}

# Sets $npm_name and $archive, what npm and deno.land call this machine's build.
name_build() {
  case "$(uname -sm)" in
    "Linux x86_64") npm_name=linux-x64-glibc archive=x86_64-unknown-linux-gnu ;;
    "Linux aarch64") npm_name=linux-arm64-glibc archive=aarch64-unknown-linux-gnu ;;
    "Darwin x86_64") npm_name=darwin-x64 archive=x86_64-apple-darwin ;;
    "Darwin arm64") npm_name=darwin-arm64 archive=aarch64-apple-darwin ;;
    *) fail "there is no Deno for $(uname -sm)" ;;
  esac
  if [ -e /etc/alpine-release ]; then
    fail "Deno's own builds need glibc; Alpine packages one: apk add deno"
  fi
}

# Prints where deno goes. An older one is replaced where it stands, because the
# calling shell may remember that place.
writable_folder() {
  if [ -n "$deno" ] && [ -w "${deno%/*}" ]; then
    printf '%s\n' "${deno%/*}"
    return
  fi
  for folder in /usr/local/bin "$home/.local/bin" "$home/bin"; do
    on_path "$folder" && mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ] &&
      printf '%s\n' "$folder" && return
  done
  printf '%s\n' "$PATH" | tr : '\n' | while read -r entry; do
    case "$entry" in /*) [ ! -w "$entry" ] || printf '%s\n' "$entry" ;; esac
  done | head -n 1 | grep .
}

on_path() { case ":$PATH:" in *":$1:"*) ;; *) return 1 ;; esac }

# put [PREFIX…]: copies $source to $folder/deno. It is tried under another name
# first and then renamed, so `deno` is never half a file.
put() {
  "$@" install -m 755 "$source" "$folder/.deno.new"
  version=$(version_of "$folder/.deno.new")
  if [ -z "$version" ]; then
    reason=$("$folder/.deno.new" --version 2>&1 | head -n 1)
    "$@" rm -f "$folder/.deno.new"
    fail "the fetched Deno does not run here: $reason"
  fi
  "$@" mv -f "$folder/.deno.new" "$folder/deno"
  say "installed deno $version in $folder"
}

# The driver -----------------------------------------------------------------

# Prints the adapter's name; fails where none answers. On Linux only Vulkan
# counts: OpenGL, to which Deno falls back, lacks what the kernels need.
adapter_of() {
  if [ "$(uname -s)" = Linux ]; then
    DENO_WEBGPU_BACKEND=${DENO_WEBGPU_BACKEND:-vulkan}
    export DENO_WEBGPU_BACKEND
  fi
  deno eval --no-config --no-lock '
    const adapter = await navigator.gpu.requestAdapter();
    await adapter.requestDevice();
    const { description, device, isFallbackAdapter } = adapter.info;
    const speed = isFallbackAdapter ? ", which is software: slow" : "";
    console.log((description || device || "unnamed") + speed);
  ' 2>/dev/null </dev/null
}

install_driver() {
  if [ "$(uname -s)" != Linux ]; then
    fail "no WebGPU adapter answers, and only on Linux can a driver be added"
  fi
  say "no Vulkan adapter answers: $VULKAN are needed"
  # shellcheck disable=SC2086 # two packages
  if install_packages $VULKAN; then
    adapter=$(adapter_of) ||
      fail "$VULKAN are installed, and still no WebGPU adapter answers"
    say "the WebGPU adapter is $adapter"
  elif command -v apt-get >/dev/null; then
    say "they need root: ask an administrator to run:" \
      "  apt-get update && apt-get install -y $VULKAN"
    left_to_do="${left_to_do:+$left_to_do; }no Vulkan driver"
  else
    say "install your system's Vulkan loader and Mesa's Vulkan drivers" \
      "  (on Fedora: dnf install vulkan-loader mesa-vulkan-drivers)"
    left_to_do="${left_to_do:+$left_to_do; }no Vulkan driver"
  fi
}

# install_packages NAME…: by apt, as root or through a sudo without password;
# fails where there is no apt, or neither.
install_packages() {
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" -eq 0 ]; then
    as_root=""
  else
    as_root="sudo -n"
    $as_root true 2>/dev/null || return 1
  fi
  say "installing $* with apt-get"
  apt install -y "$@" || { apt update && apt install -y "$@"; } ||
    fail "apt-get cannot install $*: $(tail -n 2 "$work/log")"
}

apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq "$@" >"$work/log" 2>&1 </dev/null
}

main
