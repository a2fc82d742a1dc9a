"""SOAP: login, user info, conversion and merge with all their consequences."""

from typing import Any

import pytest
import requests
from lxml import etree
from simple_salesforce.login import SalesforceLogin

ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:u="urn:partner.soap.sforce.com"><soapenv:Header><u:SessionHeader><u:sessionId>{token}'
    "</u:sessionId></u:SessionHeader></soapenv:Header><soapenv:Body>{body}</soapenv:Body>"
    "</soapenv:Envelope>"
)


class Soap:
    def __init__(self, rest: Any) -> None:
        self.rest = rest

    def __call__(self, body: str, version: str = "67.0", token: str | None = None) -> Any:
        envelope = ENVELOPE.format(body=body, token=token or self.rest.org["access_token"])
        answer = self.rest(
            "POST",
            f"/services/Soap/u/{version}",
            data=envelope.encode(),
            headers={"Content-Type": "text/xml", "SOAPAction": '""'},
        )
        return answer.status_code, etree.fromstring(answer.content)

    def results(self, body: str) -> list[dict[str, list[str]]]:
        status, root = self(body)
        assert status == 200, etree.tostring(root)
        results = []
        for result in root.iter("{*}result"):
            values: dict[str, list[str]] = {}
            for leaf in result.iter():
                if not len(leaf) and leaf.text:
                    values.setdefault(etree.QName(leaf).localname, []).append(leaf.text)
            results.append(values)
        return results


@pytest.fixture
def soap(rest: Any) -> Soap:
    return Soap(rest)


def make(rest: Any, name: str, **values: Any) -> str:
    answer = rest("POST", f"sobjects/{name}", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def convert(lead: str, **values: Any) -> str:
    values = {"convertedStatus": "Closed - Converted", "leadId": lead} | values
    inner = "".join(f"<{k}>{v}</{k}>" for k, v in values.items())
    return (
        '<convertLead xmlns="urn:partner.soap.sforce.com"><leadConverts>'
        f"{inner}</leadConverts></convertLead>"
    )


def test_login_of_simple_salesforce(org: dict[str, Any]) -> None:
    token, instance = SalesforceLogin(
        username=org["username"],
        password=org["password"],
        security_token=org["security_token"],
        scratch_url=org["http_url"],
    )
    assert instance == org["http_url"].removeprefix("http://")
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{org['http_url']}/services/data/v59.0/limits", headers=headers)
    assert answer.status_code == 200


def test_login_ends_with_version_64(soap: Soap, org: dict[str, Any]) -> None:
    body = (
        '<u:login xmlns:u="urn:partner.soap.sforce.com"><u:username>{}</u:username>'
        "<u:password>{}</u:password></u:login>"
    ).format(org["username"], org["password"])
    assert soap(body, "64.0")[0] == 200
    status, root = soap(body, "65.0")
    assert (status, root.findtext(".//faultcode")) == (500, "sf:UNSUPPORTED_API_VERSION")
    status, root = soap(body.replace(org["password"], "wrong"), "64.0")
    assert (status, root.findtext(".//faultcode")) == (500, "sf:INVALID_LOGIN")


def test_sessions_end(soap: Soap, rest: Any, org: dict[str, Any]) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": org["client_id"],
        "client_secret": org["client_secret"],
    }
    token = rest("POST", "/services/oauth2/token", data=form).json()["access_token"]
    info = '<getUserInfo xmlns="urn:partner.soap.sforce.com"/>'
    status, root = soap(info, token=token)
    assert root.findtext(".//{*}organizationId") == org["organization_id"]
    assert soap('<logout xmlns="urn:partner.soap.sforce.com"/>', token=token)[0] == 200
    status, root = soap(info, token=token)
    assert (status, root.findtext(".//faultcode")) == (500, "sf:INVALID_SESSION_ID")


def test_conversion_makes_account_contact_and_opportunity(rest: Any, soap: Soap, key: str) -> None:
    lead = make(
        rest,
        "Lead",
        LastName="Ito",
        FirstName="Mei",
        Company=key,
        Email=f"{key}@x.org",
        City="Kobe",
        HasOptedOutOfEmail=True,
        LeadSource="Web",
    )
    task = make(rest, "Task", Subject="call", WhoId=lead)
    result = soap.results(convert(lead))[0]
    assert result["success"] == ["true"]
    account = rest("GET", f"sobjects/Account/{result['accountId'][0]}").json()
    contact = rest("GET", f"sobjects/Contact/{result['contactId'][0]}").json()
    opportunity = rest("GET", f"sobjects/Opportunity/{result['opportunityId'][0]}").json()
    assert (account["Name"], account["BillingCity"], account["AccountSource"]) == (
        key,
        "Kobe",
        "Web",
    )
    assert (contact["Name"], contact["AccountId"]) == ("Mei Ito", account["Id"])
    assert (contact["HasOptedOutOfEmail"], contact["MailingCity"]) == (True, "Kobe")
    assert (opportunity["Name"], opportunity["AccountId"]) == (key, account["Id"])
    read = rest("GET", f"sobjects/Lead/{lead}").json()
    assert (read["IsConverted"], read["Status"]) == (True, "Closed - Converted")
    assert read["ConvertedContactId"] == contact["Id"]
    assert rest("GET", f"sobjects/Task/{task}").json()["WhoId"] == contact["Id"]


def test_converted_leads_refuse_changes(rest: Any, soap: Soap, key: str) -> None:
    lead = make(rest, "Lead", LastName="Ito", Company="x", Causeway_Key__c=key)
    assert soap.results(convert(lead, doNotCreateOpportunity="true"))[0]["success"] == ["true"]
    again = soap.results(convert(lead))[0]
    assert again["statusCode"] == ["CANNOT_UPDATE_CONVERTED_LEAD"]
    for path in (f"sobjects/Lead/{lead}", f"sobjects/Lead/Causeway_Key__c/{key}"):
        refused = rest("PATCH", path, json={"Title": "x"})
        assert refused.status_code == 400
        assert refused.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_conversion_into_existing_records_fills_only_blanks(
    rest: Any, soap: Soap, key: str
) -> None:
    account = make(rest, "Account", Name=key)
    contact = make(rest, "Contact", LastName="Abe", AccountId=account, LeadSource="Other")
    lead = make(
        rest, "Lead", LastName="Ito", Company="x", Phone="1", LeadSource="Web", FirstName="Mei"
    )
    values = {"accountId": account, "contactId": contact, "doNotCreateOpportunity": "true"}
    assert soap.results(convert(lead, **values))[0]["contactId"] == [contact]
    read = rest("GET", f"sobjects/Contact/{contact}").json()
    assert (read["LastName"], read["FirstName"], read["Phone"]) == ("Abe", "Mei", "1")
    assert read["LeadSource"] == "Other"


def test_conversion_into_an_existing_opportunity(rest: Any, soap: Soap, key: str) -> None:
    account, other = make(rest, "Account", Name=key), make(rest, "Account", Name=f"{key} too")
    values = {"Name": key, "StageName": "Prospecting", "CloseDate": "2030-01-01"}
    deal = make(rest, "Opportunity", AccountId=account, **values)
    lead = make(rest, "Lead", LastName=key, Company=key)
    refused = soap.results(convert(lead, accountId=other, opportunityId=deal))[0]
    assert refused["statusCode"] == ["INVALID_CROSS_REFERENCE_KEY"]
    done = soap.results(convert(lead, accountId=account, opportunityId=deal))[0]
    assert done["opportunityId"] == [deal]
    leads = rest.query(f"SELECT ConvertedOpportunityId FROM Lead WHERE Id = '{lead}'")
    assert leads == [{"ConvertedOpportunityId": deal}]


def test_refused_conversions_leave_nothing(rest: Any, soap: Soap, key: str) -> None:
    lead = make(rest, "Lead", LastName="Ito", Company=key)
    wrong = soap.results(convert(lead, convertedStatus="Open - Not Contacted"))[0]
    assert (wrong["statusCode"], wrong["fields"]) == (["INVALID_STATUS"], ["Status"])
    other = make(rest, "Account", Name="other")
    contact = make(rest, "Contact", LastName="Abe", AccountId=other)
    alone = soap.results(convert(lead, contactId=contact))[0]
    assert alone["success"] == ["false"]
    assert rest("GET", f"sobjects/Lead/{lead}").json()["IsConverted"] is False
    assert rest.query(f"SELECT Id FROM Account WHERE Name = '{key}'") == []


def test_merge_moves_everything(rest: Any, soap: Soap, key: str) -> None:
    master = make(rest, "Account", Name="master", Causeway_Key__c=f"{key}-1")
    victim = make(rest, "Account", Name="victim", Causeway_Key__c=f"{key}-2", Phone="2")
    contact = make(rest, "Contact", LastName="Ito", AccountId=victim)
    child = make(rest, "Account", Name="child", ParentId=victim)
    body = (
        '<merge xmlns="urn:partner.soap.sforce.com"><mergeRequests><masterRecord>'
        f"<type>Account</type><Id>{master}</Id><Phone>3</Phone></masterRecord>"
        f"<recordToMergeIds>{victim}</recordToMergeIds></mergeRequests></merge>"
    )
    result = soap.results(body)[0]
    assert result["success"] == ["true"]
    assert (result["id"], result["mergedRecordIds"]) == ([master], [victim])
    assert set(result["updatedRelatedIds"]) == {contact, child}
    assert rest("GET", f"sobjects/Contact/{contact}").json()["AccountId"] == master
    assert rest("GET", f"sobjects/Account/{master}").json()["Phone"] == "3"
    soql = f"SELECT MasterRecordId, IsDeleted FROM Account WHERE Id = '{victim}'"
    buried = rest("GET", "queryAll", params={"q": soql}).json()["records"][0]
    assert (buried["MasterRecordId"], buried["IsDeleted"]) == (master, True)
    assert rest("GET", f"sobjects/Account/Causeway_Key__c/{key}-2").status_code == 404
    assert soap.results(body)[0]["statusCode"] == ["ENTITY_IS_DELETED"]


def test_garbage_is_a_fault(rest: Any) -> None:
    for data in (b"", b"<a>", b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y 'z'>]><x>&y;</x>"):
        answer = rest("POST", "/services/Soap/u/67.0", data=data)
        assert answer.status_code == 500
        assert b"faultcode" in answer.content
