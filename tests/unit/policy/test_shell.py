"""What commands do: classes, reasons and targets, shape by shape and program by program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_policy.classes import ActionClass
from heliostat_policy.effects import Reason
from heliostat_policy.rules import Call, Policy, Verdict, judge
from heliostat_policy.shell.effects import effects_of

READ, INSIDE, EXECUTE = ActionClass.READ, ActionClass.WRITE_INSIDE, ActionClass.EXECUTE
NETWORK, SEND, UNKNOWN = ActionClass.NETWORK, ActionClass.SEND, ActionClass.UNKNOWN
OUTSIDE, CREDENTIAL = ActionClass.DELETE_OUTSIDE, ActionClass.CREDENTIAL
PUBLISH, PAY = ActionClass.PUBLISH, ActionClass.PAY


def verdict(command: str, cwd: str = "/workspace") -> Verdict:
    return judge(Policy(), Call("Bash", {"command": command}, cwd, "/workspace"))


def class_of(command: str) -> ActionClass:
    """The class of the most severe effect."""
    found = effects_of(command, "/workspace", "/workspace")
    return max((each.class_ for each in found), key=lambda each: each.severity)


@pytest.mark.parametrize(
    ("command", "class_"),
    [
        # Words
        ("cat 'a b' \"c d\" e\\ f", READ),
        ("g\"it\" pu''sh", PUBLISH),
        ("\\curl -d x e.com", SEND),
        ("cu\\\nrl -d x e.com", UNKNOWN),
        ("ps\\\nql -h e.com", UNKNOWN),
        ("cat a \\\n  b", READ),
        ("cat $'a\\tb'", READ),
        ("cat $'\\x61'", UNKNOWN),
        ("cat a\\*", UNKNOWN),
        ("cat {a,b}", UNKNOWN),
        ("cat {}", READ),
        ("echo {", UNKNOWN),
        ("echo a#b", READ),
        ('echo "cost: $"', READ),
        ('echo "$[1+1]"', UNKNOWN),
        ('echo "\\$x \\`y\\`"', READ),
        ("echo é", READ),
        # Variables
        ("x=a.txt; cat $x", READ),
        ("x=a.txt; cat ${x}", READ),
        ("x=a.txt && cat $x", READ),
        ("x=; echo $x", UNKNOWN),
        ("x='a b'; cat $x", UNKNOWN),
        ("x='a b'; cat \"$x\"", READ),
        ("x=a; x=b; cat $x", UNKNOWN),
        ("x=a; x+=b; cat $x", UNKNOWN),
        ("x[1]=a; echo", UNKNOWN),
        ("x=(a b); echo", UNKNOWN),
        ("x=a y=b", UNKNOWN),
        ("X=a; echo", UNKNOWN),
        ("http_proxy=e.com; echo", UNKNOWN),
        ("x=~/.ssh/id_rsa; cat $x", CREDENTIAL),
        ("echo $x", UNKNOWN),
        ("echo ${x:-y}", UNKNOWN),
        ("echo $? $#", READ),
        ("echo $@", UNKNOWN),
        ("cat $HOME/a", READ),
        ("x=$(wc -l < a); echo $x", READ),
        ("x=$(wc -l < a); cat $x", UNKNOWN),
        ("read x; echo $x", READ),
        ("read -r X; echo", UNKNOWN),
        ("(x=a); echo $x", UNKNOWN),
        ("if true; then x=a; fi; echo $x", UNKNOWN),
        ("if true; then x=a; echo $x; fi", READ),
        ("if true; then x=a; elif true; then echo $x; fi", UNKNOWN),
        ("x=a & echo $x", UNKNOWN),
        # Shapes
        ("", UNKNOWN),
        ("# nothing", UNKNOWN),
        ("ls # all of it", READ),
        ("ls a\\ #x\n", READ),
        ('ls "a"#;id', UNKNOWN),
        ("ls; pwd && id || true", READ),
        ("ls | sort |& uniq", READ),
        ("! ls", READ),
        ("(ls; pwd)", READ),
        ("{ ls; pwd; }", READ),
        ("ls &", READ),
        ("((1+2)); ls", READ),
        ("((x=1))", UNKNOWN),
        ("echo $((1+2))", READ),
        ("echo $((x))", UNKNOWN),
        ('for f in *.csv; do wc -l "$f"; done', READ),
        ("for f in *.csv; do wc -l $f; done", UNKNOWN),
        ("for f in a b; do wc -l $f; done", READ),
        ("for f in a .env; do cat $f; done", CREDENTIAL),
        ("for f in $(ls); do echo $f; done", READ),
        ("for f in $(ls); do cat $f; done", UNKNOWN),
        ("for f; do echo $f; done", UNKNOWN),
        ("for f in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do cat $f; done", UNKNOWN),
        ("for ((i=0;i<1;i++)); do ls; done", UNKNOWN),
        ("select f in a; do ls; done", UNKNOWN),
        ("for PATH in a; do ls; done", UNKNOWN),
        ("for f in thread.py; do cat $f; done", READ),
        ('while read -r l; do echo "$l"; done < a', READ),
        ("until true; do ls; done", READ),
        ("case a in a) ls;; esac", UNKNOWN),
        ("f() { ls; }; f", UNKNOWN),
        ("[ -f a ] && ls", READ),
        ("[ a = b ]", READ),
        ("[ a != b ]", READ),
        ("[ ! -f a ]", READ),
        ("[ -v x ]", UNKNOWN),
        ("[ a > b ]", UNKNOWN),
        ("test a -nt b", READ),
        ("test -v x", UNKNOWN),
        ('[ "$(id)" = x ]', UNKNOWN),
        ("[[ -f a ]]", UNKNOWN),
        ("export x=a", UNKNOWN),
        ("x=a ls", UNKNOWN),
        ("$x", UNKNOWN),
        ("$(echo ls)", UNKNOWN),
        ("''", UNKNOWN),
        ("diff <(sort a) <(sort b)", READ),
        ("diff <(curl -d x e.com) a", SEND),
        ("cat a<(ls)", READ),
        ("ls > >(cat)", UNKNOWN),
        ("ls > >(sh)", UNKNOWN),
        ("echo `id`", READ),
        ("ls '", UNKNOWN),
        ("ls \x00", UNKNOWN),
        ("ls\r", UNKNOWN),
        ("ls\x0bx", UNKNOWN),
        # Redirections
        ("ls > a", INSIDE),
        ("ls >> a", INSIDE),
        ("ls >| a", INSIDE),
        ("ls &> a", INSIDE),
        ("ls >& a", INSIDE),
        ("> a", INSIDE),
        ("ls > /dev/null 2>&1", READ),
        ("ls 2>&-", READ),
        ("ls <&3", READ),
        ("ls <& a", UNKNOWN),
        ("ls > ../a", OUTSIDE),
        ("ls > ~/a", OUTSIDE),
        ("ls > $HOME/a", OUTSIDE),
        ("ls > .bashrc", OUTSIDE),
        ("ls > $(id)", UNKNOWN),
        ("ls > *.csv", INSIDE),
        ('for f in *.csv; do sort a > "out/$f"; done', INSIDE),
        ('for f in *.csv; do sort a > "../$f"; done', UNKNOWN),
        ("cat < a", READ),
        ("cat < .env", CREDENTIAL),
        ("cat < $(id)", UNKNOWN),
        ("cat < /dev/tcp/e.com/80", SEND),
        ("cat <<< a", READ),
        ('cat <<< "$x"', UNKNOWN),
        ("cat <<E\na\nE", READ),
        ("cat <<E\n$(curl -d x e.com)\nE", SEND),
        ("cat <<'E'\n$(curl -d x e.com)\nE", READ),
        ("cat <<E > a\nx\nE", INSIDE),
        ("cat <<E | sort\nx\nE", READ),
        ("cat <<E && ls\nx\nE", UNKNOWN),
        ("cat <<-E\n\tx\n\tE", READ),
        ("cat <<E\n$x\nE", UNKNOWN),
        ("cat <<E\nEnd\nE", UNKNOWN),
        ("cat <<E\na\\\nb\nE", UNKNOWN),
        ("cat <<\\E\na\nE", UNKNOWN),
        ("cat <<A <<B\na\nA\nb\nB", UNKNOWN),
        # Folders
        ("cd a && ls > b", INSIDE),
        ("cd a && ls > ../b", OUTSIDE),
        ("cd /tmp && ls > b", OUTSIDE),
        ("cd /tmp; cd /workspace; ls > b", OUTSIDE),
        ("cd && ls > b", OUTSIDE),
        ("cd - && ls > b", OUTSIDE),
        ("cd -- a && ls > b", INSIDE),
        ("cd $(id) && ls > b", UNKNOWN),
        ("pushd a; ls > b", UNKNOWN),
        ("cd /root && cat .ssh/x", CREDENTIAL),
        ("; ".join(f"cd d{number}" for number in range(8)), UNKNOWN),
    ],
)
def test_a_shape_has_its_class(command: str, class_: ActionClass) -> None:
    found = effects_of(command, "/workspace", "/workspace")
    classes = {each.class_ for each in found}
    assert class_ in classes
    if class_ is not UNKNOWN:
        assert class_of(command) is class_


@pytest.mark.parametrize(
    ("command", "class_"),
    [
        # Readers
        ("cat a", READ),
        ("/usr/bin/cat a", READ),
        ("/opt/cat a", UNKNOWN),
        ("head -20 a", READ),
        ("head -c5 a", READ),
        ("head --lines=3 a", READ),
        ("head --lines 3 a", READ),
        ("head --line=3 a", UNKNOWN),
        ("head -n", UNKNOWN),
        ("head --lines", UNKNOWN),
        ("sort -nk2,2 a", READ),
        ("sort -o b a", INSIDE),
        ("sort -o ../b a", OUTSIDE),
        ("sort *.csv", UNKNOWN),
        ("sort ./*.csv", READ),
        ("sort -- *.csv", READ),
        ("sort a .env", CREDENTIAL),
        ("cat -*", UNKNOWN),
        ("cat /etc/*", UNKNOWN),
        ("cat .*", UNKNOWN),
        ("uniq a b", INSIDE),
        ("uniq -c a", READ),
        ("date +%F", READ),
        ("date 0101", UNKNOWN),
        ("date -s x", UNKNOWN),
        ("ps aux", READ),
        ("ps auxe", UNKNOWN),
        ("grep -rn id_rsa src", READ),
        ("grep -f .env a", CREDENTIAL),
        ("grep -r x ~", CREDENTIAL),
        ("rg x /", CREDENTIAL),
        ("rg --pre sh x", UNKNOWN),
        ("printf '%s' a", READ),
        ("printf", UNKNOWN),
        ("printf -v x a", UNKNOWN),
        ("printf %n x", UNKNOWN),
        ("set -euo pipefail", READ),
        ("set -e", READ),
        ("set", CREDENTIAL),
        ("set -o", UNKNOWN),
        ("set -- a", UNKNOWN),
        ("set -e $(id)", CREDENTIAL),
        ("env", CREDENTIAL),
        ("cat /proc/1/environ", CREDENTIAL),
        ("cat *.pem", CREDENTIAL),
        ("tr a b", READ),
        ("exit 0", READ),
        # Wrappers
        ("timeout 5 ls", READ),
        ("timeout -k 1 --foreground 5s ls", READ),
        ("timeout $(id) ls", UNKNOWN),
        ("timeout 5", UNKNOWN),
        ("timeout x ls", UNKNOWN),
        ("timeout 5 cd a", UNKNOWN),
        ("nice -n 5 ls", READ),
        ("nice -5 ls", UNKNOWN),
        ("time ls", READ),
        ("command -v ls", READ),
        ("command ls", READ),
        ("nohup ls", INSIDE),
        ("timeout 5 curl -d x e.com", SEND),
        (" ".join(["time"] * 12 + ["ls"]), UNKNOWN),
        # Programs that are given programs
        ("sed -n 1,5p a", READ),
        ("sed -n '/a/,/b/p;$d' a", READ),
        ("sed -e s/a/b/ -e 's|c|d|g' a", READ),
        ("sed 's/[/]/e/;s/x/e' a", UNKNOWN),
        ("sed s/a/b/e a", UNKNOWN),
        ("sed 's/a/b/w x' a", UNKNOWN),
        ("sed '1e id' a", UNKNOWN),
        ("sed -f x a", UNKNOWN),
        ("sed", UNKNOWN),
        ("sed '' a", UNKNOWN),
        ("sed p .env", CREDENTIAL),
        ("sed -i s/a/b/ a", INSIDE),
        ("sed -i.bak s/a/b/ a", INSIDE),
        ("sed -i s/a/b/", UNKNOWN),
        ("sed -i s/a/b/ ../a", OUTSIDE),
        ("awk '{print $1}' a", READ),
        ("awk -F, -v x=1 '$2 > x {s += $2} END {print s}' a", READ),
        ("awk -F , '{print $1 \"\\n\"}' a", READ),
        ("awk '{print > \"b\"}' a", UNKNOWN),
        ("awk '{system(\"id\")}' a", UNKNOWN),
        ("awk '{print | \"sh\"}' a", UNKNOWN),
        ("awk '$1 || $2' a", READ),
        ("awk 'BEGIN {ARGV[1] = 1}' a", UNKNOWN),
        ("awk -f x a", UNKNOWN),
        ("awk -v x=$(id) 1 a", UNKNOWN),
        ("awk -v $(id) 1 a", UNKNOWN),
        ("awk", UNKNOWN),
        ("awk 1 -f", UNKNOWN),
        ("awk 1 .env", CREDENTIAL),
        ("jq -r .a a.json", READ),
        ("jq --arg x y .a a.json", READ),
        ("jq env a.json", UNKNOWN),
        ("jq", UNKNOWN),
        ("find . -name '*.py' -type f", READ),
        ("find -L src ! -name a -print0", READ),
        ("find", READ),
        ("find ~/.ssh", CREDENTIAL),
        ("find . -delete", UNKNOWN),
        ("find . $(id)", UNKNOWN),
        ("find . -type f -exec grep -l x {} \\;", READ),
        ("find . -exec cat {} +", READ),
        ("find . -exec rm {} +", UNKNOWN),
        ("find . -exec sh -c id \\;", UNKNOWN),
        ("find . -exec cat x{} +", UNKNOWN),
        ("find . -exec cat {}", UNKNOWN),
        ("find . -exec $(id) \\;", UNKNOWN),
        ("find . -name .env -exec cat {} +", CREDENTIAL),
        ("xargs cat", UNKNOWN),
        # Writers
        ("mkdir -p a/b", INSIDE),
        ("mkdir -m 700 a", INSIDE),
        ("mkdir", UNKNOWN),
        ("mkdir /a", OUTSIDE),
        ("mkdir .git/hooks", OUTSIDE),
        ("touch a b", INSIDE),
        ("rm -rf build", INSIDE),
        ("rm -rf .", OUTSIDE),
        ("rm -rf .git", OUTSIDE),
        ("rm -rf *", UNKNOWN),
        ("rm -rf ./*", UNKNOWN),
        ("rm ''", UNKNOWN),
        ("rm .env", CREDENTIAL),
        ("tee a", INSIDE),
        ("cp a b", INSIDE),
        ("cp a", UNKNOWN),
        ("cp a /mnt/b", OUTSIDE),
        ("cp /etc/hosts .", INSIDE),
        ("cp .env b", CREDENTIAL),
        ("cp -r a/. b", UNKNOWN),
        ("cp <(ls) b", UNKNOWN),
        ("cp ./*.csv out/", INSIDE),
        ("cp *.csv out/", UNKNOWN),
        ("cp a/settings.json .claude", OUTSIDE),
        ("cp a/.bashrc .", OUTSIDE),
        ("mv a b", INSIDE),
        ("mv ../a b", OUTSIDE),
        ("mv .git b", OUTSIDE),
        ("mv ./*.csv out/", UNKNOWN),
        ("chmod +x a", INSIDE),
        ("chmod 644 a", INSIDE),
        ("chmod u+s a", UNKNOWN),
        ("chmod 4755 a", UNKNOWN),
        ("chmod +x", UNKNOWN),
        ("chmod -x a", UNKNOWN),
        ("split -l 5 a", INSIDE),
        ("split -l 5 a part_", INSIDE),
        ("split -l 5 a ../x", OUTSIDE),
        ("split a b c", UNKNOWN),
        ("split .env", CREDENTIAL),
        ("tar -tf a.tgz", READ),
        ("tar czf a.tgz src", INSIDE),
        ("tar -cf /a src", OUTSIDE),
        ("tar -cf h:a src", UNKNOWN),
        ("tar -xf a", UNKNOWN),
        ("tar -c src", UNKNOWN),
        ("tar -ctf a src", UNKNOWN),
        # git
        ("git status --short", READ),
        ("git --no-pager log --oneline -5", READ),
        ("git log --since='2 weeks' -- a", READ),
        ("git show HEAD:.env", CREDENTIAL),
        ("git grep -n x src", READ),
        ("git diff --output=a", UNKNOWN),
        ("git branch -a", READ),
        ("git branch x", EXECUTE),
        ("git tag -l 'v*'", READ),
        ("git remote -v", READ),
        ("git remote add x https://e.com", UNKNOWN),
        ("git stash list", READ),
        ("git stash", EXECUTE),
        ("git stash pop", EXECUTE),
        ("git add -A", INSIDE),
        ("git add .env", CREDENTIAL),
        ("git init", INSIDE),
        ("git init ../a", OUTSIDE),
        ("git commit -m x", EXECUTE),
        ("git commit -x", UNKNOWN),
        ("git config a b", UNKNOWN),
        ("git -C a status", UNKNOWN),
        ("git", UNKNOWN),
        ("git $(id)", UNKNOWN),
        ("git push", PUBLISH),
        ("git fetch origin", NETWORK),
        ("git fetch ext::sh", UNKNOWN),
        ("git clone https://e.com/a", NETWORK),
        ("git clone https://e.com/a ../b", OUTSIDE),
        ("git clone /a", UNKNOWN),
        # Network
        ("curl -sSL https://e.com/a", NETWORK),
        ("curl e.com", NETWORK),
        ("curl -o a https://e.com", NETWORK),
        ("curl -o /a https://e.com", OUTSIDE),
        ("curl -O https://e.com/.bashrc", OUTSIDE),
        ("curl -X GET https://e.com", NETWORK),
        ("curl --request=PUT https://e.com", SEND),
        ("curl -sXPUT https://e.com", SEND),
        ("curl --data x https://e.com", SEND),
        ("curl -H @a https://e.com", UNKNOWN),
        ("curl -w '%output{/a}' https://e.com", UNKNOWN),
        ("curl file:///a", UNKNOWN),
        ("curl", UNKNOWN),
        ('curl "https://e.com/$(id)"', UNKNOWN),
        ("wget https://e.com/a.zip", NETWORK),
        ("wget -qO- https://e.com/a", NETWORK),
        ("wget --post-data=x https://e.com", SEND),
        ("wget -P /a https://e.com", UNKNOWN),
        ("ssh e.com", SEND),
        ("scp a u@e.com:b", SEND),
        ("npm publish", PUBLISH),
        ("gh pr create", PUBLISH),
        ("stripe charges create", PAY),
        ("aws s3 rm s3://a", OUTSIDE),
        ("aws s3 ls", UNKNOWN),
        ("pip install x", NETWORK),
        ("python3 -m pip install x", NETWORK),
        ("uv pip install x", NETWORK),
        ("pip install --index-url https://e.com x", UNKNOWN),
        ("pip list", EXECUTE),
        ("pip config", UNKNOWN),
        ("pip", UNKNOWN),
        # Code
        ("python3 a.py --x $(id)", EXECUTE),
        ("python3 -u -W ignore a.py", EXECUTE),
        ("python3 -c 1", EXECUTE),
        ("python3 -m pytest", EXECUTE),
        ("python3 -Z", UNKNOWN),
        ("python3 $(id)", UNKNOWN),
        ("python3", EXECUTE),
        ("cat a | python3", UNKNOWN),
        ("cat a | python3 -", UNKNOWN),
        ("python3 - <<'E'\n1\nE", EXECUTE),
        ("node a.js", EXECUTE),
        ("node -e 1", EXECUTE),
        ("node --inspect", UNKNOWN),
        ("node", EXECUTE),
        ("cat a | node", UNKNOWN),
        ("./a.sh", EXECUTE),
        ("../a.sh", UNKNOWN),
        ("~/a.sh", UNKNOWN),
        ("sh a.sh", EXECUTE),
        ("bash -e a.sh", EXECUTE),
        ("bash -c id", UNKNOWN),
        ("cat a | sh", UNKNOWN),
        ("pytest -q", EXECUTE),
        ("npm run build", EXECUTE),
        ("npm ci", NETWORK),
        ("npm exec x", UNKNOWN),
        ("npm", UNKNOWN),
        ("frob", UNKNOWN),
    ],
)
def test_a_program_has_its_class(command: str, class_: ActionClass) -> None:
    found = effects_of(command, "/workspace", "/workspace")
    assert class_ in {each.class_ for each in found}
    if class_ is not UNKNOWN and EXECUTE not in {each.class_ for each in found}:
        assert class_of(command) is class_


def test_each_part_of_a_line_is_judged_though_one_cannot_be_read() -> None:
    found = effects_of("f() { ls; }; curl -d x https://e.com", "/workspace", "/workspace")
    assert [each.class_ for each in found] == [UNKNOWN, SEND]


def test_the_most_severe_part_names_the_verdict() -> None:
    found = verdict("cat a; frob; curl -d x https://e.com; echo x > /etc/x")
    assert (found.class_, found.target, found.reason) == (SEND, "e.com", Reason.SENDS)


def test_files_that_are_run_or_sent_are_operands() -> None:
    assert verdict("python3 a.py; ./b.sh; sh c.sh").operands == ("a.py", "./b.sh", "c.sh")
    sends = "curl -F 'a=@a.pdf;type=x' -T b.pdf https://u@e.com < c.pdf"
    assert verdict(sends).operands == ("a.pdf", "b.pdf", "c.pdf")


def test_paths_that_are_written_are_named() -> None:
    assert verdict("cp a out/; ls > b; rm c").writes == ("out/a", "b", "c")


def test_relative_paths_begin_where_the_call_is_made() -> None:
    assert verdict("ls > a", cwd="/workspace/sub").class_ is INSIDE
    assert verdict("ls > a", cwd="/tmp").class_ is OUTSIDE
    assert verdict("ls > a", cwd="/workspaces").class_ is OUTSIDE


def test_what_is_too_long_is_not_read() -> None:
    assert verdict("ls; " * 30_000).class_ is UNKNOWN
    assert verdict("ls x; " * 1_000).class_ is READ
    assert verdict("".join(f"ls {number}; " for number in range(3_000))).class_ is UNKNOWN
    assert verdict("(" * 3_000 + "ls" + ")" * 3_000).class_ is UNKNOWN
    assert verdict("echo \ud800").class_ is UNKNOWN


@given(st.text(st.sampled_from("ls cat>|&;'\"$(){}`\\\n #<*~=[]!x/.-"), max_size=30))
def test_anything_gets_a_verdict(command: str) -> None:
    found = effects_of(command, "/workspace", "/workspace")
    assert found
    assert verdict(command).words.endswith(".")
