# debian_source.py - the source of a Debian package, by apt with a configuration of its own
# SPDX-License-Identifier: MIT
#
# The machine's own mirrors are asked; nothing below /etc or /var is changed. The unpacked source
# stays in the build, so that only the first run needs the network.
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

MIRROR = ('http://deb.debian.org/debian', 'bookworm')  # where apt knows of no other
KEYS = Path('/usr/share/keyrings/debian-archive-keyring.gpg')
APT_SECONDS_MAX = 200


def mirrors():
    """(address, release) of each of apt's own sources that has Debian's main releases."""
    rows = subprocess.run(
        ['apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)',
         'Created-By: Packages'], capture_output=True, text=True).stdout
    found = re.findall(r'^(\S+/debian)/? ([a-z]+) main$', rows, re.M)
    return sorted(set(found)) or [MIRROR]


def configure(folder):
    """Writes apt's configuration and sources below `folder`; gives the options that use them."""
    for name in ('lists/partial', 'cache/archives/partial', 'sources'):
        (folder / name).mkdir(parents=True)
    signed = f'Signed-By: {KEYS}\n' if KEYS.exists() else ''
    (folder / 'sources/source.sources').write_text('\n'.join(
        f'Types: deb-src\nURIs: {address}\nSuites: {release}\nComponents: main\n{signed}'
        for address, release in mirrors()))
    # What a container's image hangs on to an update would clean the caches of the machine.
    (folder / 'apt.conf').write_text(
        '#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n'
        '#clear DPkg::Post-Invoke;\nAPT::Sandbox::User "root";\n'
        f'Dir::Etc::SourceList "/dev/null";\nDir::Etc::SourceParts "{folder}/sources";\n'
        f'Dir::State::Lists "{folder}/lists";\nDir::Cache "{folder}/cache";\n')
    return ['-q', '-c', folder / 'apt.conf', '-o', 'Acquire::Retries=3',
            '-o', 'APT::Update::Error-Mode=any']


def fetch(package, kept):
    """The folder `kept`/`package` with the patched source; a RuntimeError says what failed."""
    place = kept / package
    if place.exists():
        return place
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept) as name:
        folder = Path(name)
        options = configure(folder)
        for command in (['update'], ['source', package]):
            done = subprocess.run(['apt-get', *options, *command], cwd=folder, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=APT_SECONDS_MAX)
            if done.returncode:
                raise RuntimeError(
                    f'the source of Debian\'s {package} cannot be fetched: `apt-get '
                    f'{" ".join(command)}` ended with {done.returncode}. This test needs a Debian '
                    f'mirror once for each build:\n{done.stdout}')
        unpacked = [path for path in folder.glob(f'{package}-*') if path.is_dir()]
        if len(unpacked) != 1:
            raise RuntimeError(f'apt-get source {package} left {len(unpacked)} folders, not one')
        shutil.move(unpacked[0], place)
    return place
