import traceback
from pathlib import Path

import pytest

from pipelines.salesforce.connection import Connection, load_connection
from pipelines.salesforce.errors import ConnectionInvalid, OrgUnavailable

ENVIRON = {"UAT_ID": "planted-id", "UAT_SECRET": "planted-secret", "UAT_KEY": "one\\ntwo\\n"}
UAT = """\
uat:
  login_url: https://example--uat.sandbox.my.salesforce.com
  client_id: ${UAT_ID}
  client_secret: ${UAT_SECRET}
"""


def load(tmp_path: Path, text: str, name: str = "uat") -> Connection:
    file = tmp_path / "orgs.yaml"
    file.write_text(text, "utf-8")
    return load_connection(name, orgs_file=file, local=None, environ=ENVIRON)


def refused(tmp_path: Path, text: str, name: str = "uat") -> str:
    with pytest.raises(ConnectionInvalid) as error:
        load(tmp_path, text, name)
    return str(error.value).replace(f"{tmp_path}/", "")


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    connection = load(tmp_path, UAT)
    assert connection.client_secret is not None
    assert connection.client_secret.get_secret_value() == "planted-secret"
    assert connection.client_id.get_secret_value() == "planted-id"
    assert connection.api_version == "67.0"
    assert not connection.production
    assert not connection.is_local


def test_secrets_are_in_no_text_of_the_connection(tmp_path: Path) -> None:
    connection = load(tmp_path, UAT)
    for text in (repr(connection), str(connection), connection.model_dump_json()):
        assert "planted" not in text


def test_production_and_version_are_read(tmp_path: Path) -> None:
    connection = load(tmp_path, UAT + "  production: true\n  api_version: 68.0\n")
    assert connection.production
    assert connection.api_version == "68.0"


def test_a_secret_in_the_file_is_refused_with_its_line_and_not_repeated(tmp_path: Path) -> None:
    text = UAT.replace("${UAT_SECRET}", "planted-in-file")
    message = refused(tmp_path, text)
    assert "orgs.yaml:4: client_secret must not stand in the file" in message
    assert "planted" not in message


def test_a_secret_of_another_connection_is_refused_too(tmp_path: Path) -> None:
    text = UAT + UAT.replace("uat:", "other:").replace("${UAT_ID}", "planted-in-file")
    assert "orgs.yaml:7: client_id must not stand in the file" in refused(tmp_path, text)


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    message = refused(
        tmp_path,
        "uat:\n"
        "  login_url: http://example.my.salesforce.com\n"
        "  client_id: ${NOT_SET}\n"
        "  client_secrets: ${UAT_SECRET}\n"
        "  api_version: newest\n"
        "  api_version: [67]\n",
    )
    for problem in (
        "orgs.yaml:2: login_url: String should match",
        "orgs.yaml:3: the environment variable NOT_SET is not set",
        "orgs.yaml:4: unknown key 'client_secrets'",
        "orgs.yaml:5: api_version: String should match",
        "orgs.yaml:6: 'api_version' stands here a second time",
        "orgs.yaml:6: api_version must be one value",
    ):
        assert problem in message


def test_a_name_that_is_not_there_says_which_are(tmp_path: Path) -> None:
    assert "there is no 'prod'; it holds: uat" in refused(tmp_path, UAT, "prod")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("uat: [", "orgs.yaml:1: "),
        ("uat:\n\tlogin_url: x\n", "orgs.yaml:2: found character"),
        ("- uat\n", "orgs.yaml:1: expected lines like `key: value`"),
        ("", "orgs.yaml is empty"),
        ("uat: {}\n", "login_url: Field required"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in refused(tmp_path, text)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConnectionInvalid, match=r"orgs\.yaml does not exist; create it"):
        load_connection("uat", orgs_file=tmp_path / "orgs.yaml", local=None, environ={})


JWT = """\
uat:
  login_url: https://test.salesforce.com
  client_id: ${UAT_ID}
  username: sync@example.com
"""


def test_a_key_file_must_be_its_owners_alone(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("planted-key")
    key.chmod(0o640)
    message = refused(tmp_path, JWT + "  private_key_file: key.pem\n")
    assert "orgs.yaml:5: others can read key.pem; run `chmod 600" in message
    key.chmod(0o600)
    connection = load(tmp_path, JWT + "  private_key_file: key.pem\n")
    assert connection.private_key is not None
    assert connection.private_key.get_secret_value() == "planted-key"
    assert "planted" not in repr(connection)


def test_orgs_that_others_can_change_are_refused(tmp_path: Path) -> None:
    load(tmp_path, JWT + "  private_key: ${UAT_KEY}\n")
    (tmp_path / "orgs.yaml").chmod(0o666)
    message = refused(tmp_path, JWT + "  private_key: ${UAT_KEY}\n")
    assert "others can change it; run `chmod go-w" in message


def test_a_key_from_the_environment_may_stand_in_one_line(tmp_path: Path) -> None:
    connection = load(tmp_path, JWT + "  private_key: ${UAT_KEY}\n")
    assert connection.private_key is not None
    assert connection.private_key.get_secret_value() == "one\ntwo\n"


def test_a_connection_logs_in_one_way(tmp_path: Path) -> None:
    both = UAT + "  private_key: ${UAT_KEY}\n"
    assert "give client_secret (client credentials) or private_key_file (JWT)" in refused(
        tmp_path, both
    )
    without_user = JWT.replace("  username: sync@example.com\n", "  private_key: ${UAT_KEY}\n")
    assert "JWT needs the username" in refused(tmp_path, without_user)


def test_client_credentials_need_the_orgs_own_address(tmp_path: Path) -> None:
    text = UAT.replace("https://example--uat.sandbox.my", "https://test")
    assert "orgs.yaml:2: client credentials need the org's My Domain address" in refused(
        tmp_path, text
    )


def test_no_secret_is_in_the_traceback(tmp_path: Path) -> None:
    with pytest.raises(ConnectionInvalid) as error:
        load(tmp_path, UAT + "  api_version: newest\n")
    assert "planted" not in "".join(traceback.format_exception(error.value))


def test_the_local_org_needs_no_file(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("")
    printed = {
        "https_url": "https://localhost:8443",
        "http_url": "http://localhost:8080",
        "ca_file": str(ca_file),
        "client_id": "id",
        "client_secret": "planted-secret",
        "username": "admin@example.com",
        "access_token": "planted-token",
        "pid": 1,
    }
    connection = load_connection(
        None, orgs_file=tmp_path / "orgs.yaml", local=printed, environ=ENVIRON
    )
    assert connection.is_local
    assert connection.login_url == "https://localhost:8443"
    assert connection.ca_file == ca_file
    assert "planted" not in repr(connection)


def test_a_local_org_that_does_not_run_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(OrgUnavailable, match="causeway org start"):
        load_connection(None, orgs_file=tmp_path / "orgs.yaml", local=None, environ={})
