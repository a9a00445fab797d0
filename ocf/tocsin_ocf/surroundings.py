"""What an agent may want of the node that it runs on: its name, its programs, its distribution, its promotion score."""

from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_ERR_INSTALLED, ActionFailed
from tocsin_ocf.programs import find_program, is_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.agent import Asked
    from tocsin_ocf.call import Call

CRM_NODE = "/usr/sbin/crm_node"
CRM_NODE_SECONDS = 5
CRM_ATTRIBUTE = "/usr/sbin/crm_attribute"
OS_RELEASE = "/etc/os-release"


def node_name(call: "Call") -> str:
    """Return this node's name, from the cluster where it is called by hand; "" where that is mute."""
    told = call.meta("on_node")
    if told:
        return told
    import subprocess

    try:
        found = subprocess.run([CRM_NODE, "-n"], capture_output=True, timeout=CRM_NODE_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.decode("utf-8", "replace").strip()


def program(name: str) -> str:
    """Return the path of a program; ActionFailed (OCF_ERR_INSTALLED) where this node has none of that name."""
    found = find_program(name)
    if not found or not is_program(found):
        raise ActionFailed(OCF_ERR_INSTALLED, f"{name} is not installed on this node")
    return found


def set_promotion_score(asked: "Asked", score: "int | None") -> None:
    """Have crm_attribute set the score until this node reboots, or (None) delete it; ActionFailed where it fails."""
    import subprocess

    change = ["--delete"] if score is None else ["--update", str(score)]
    own = [f"--promotion={asked.resource}", "--lifetime", "reboot", "--node", asked.node, *change]
    try:
        done = subprocess.run([CRM_ATTRIBUTE, *own], capture_output=True, timeout=asked.remaining(), check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise ActionFailed(OCF_ERR_GENERIC, f"the promotion score was not set: {error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise ActionFailed(OCF_ERR_GENERIC, f"the promotion score was not set: {said or done.returncode}")


def distribution(file: str = OS_RELEASE) -> str:
    """Return name and version of this Linux as os-release(5) has them, such as "debian/12"; "" where it has none."""
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            found = dict(line.rstrip("\n").partition("=")[::2] for line in lines)
    except OSError:
        return ""
    parts = (found.get("ID", ""), found.get("VERSION_ID", ""))
    return "/".join(part.strip("\"'") for part in parts if part)
