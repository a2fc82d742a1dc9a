"""What the known exports say of mail and calls, as the org then holds it."""

# Headers of exports stand as they are.
# ruff: noqa: E501

from __future__ import annotations

from datetime import date
from typing import Any

DAY = date(2026, 11, 5)
SOURCES = """
sources:
  plain: {entity: contacts, as: contact}
  chimp: {entity: contacts, as: lead}
  klv: {entity: contacts, as: contact}
  hub: {entity: contacts, as: contact}
  report: {entity: contacts, as: contact}
  loader: {entity: contacts, as: contact}
  dyn: {entity: contacts, as: contact}
  shop: {entity: customers}
"""

MAILCHIMP = (
    "Email Address,First Name,Last Name,Address,Phone Number,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,"
    "CONFIRM_TIME,CONFIRM_IP,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
JOINED = '2,"2023-05-01 10:00:00",,,,,,,"2024-02-02 11:12:13"'

FILES = {
    ("plain", "list.csv"): """\
First Name,Last Name,Email,Company,Email Opt Out,Do Not Call,HasOptedOutOfEmail,Unsubscribed
Odd,Plainout,odd@plain.example,Plain Co,true,true,1,Yes
Iris,Plainin,iris@plain.example,Plain Co,false,false,0,No
""",
    ("chimp", "subscribed_email_audience_export_1a.csv"): f"""\
{MAILCHIMP}
greta@chimp.example,Greta,Chimpin,,,{JOINED},1,e1,,
""",
    ("chimp", "unsubscribed_email_audience_export_1a.csv"): f"""\
{MAILCHIMP},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER
ada@chimp.example,Ada,Chimpout,,,{JOINED},2,e2,,,"2024-01-01 10:00:00",May,55,Not relevant,
""",
    ("chimp", "cleaned_email_audience_export_1a.csv"): f"""\
{MAILCHIMP},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID
rolf@chimp.example,Rolf,Chimpclean,,,{JOINED},3,e3,,,"2024-01-01 10:00:00",May,55
""",
    ("klv", "list.csv"): """\
Email,Klaviyo ID,First Name,Last Name,Organization,Email Marketing Consent,Email Suppressions
ruth@klv.example,01GDA,Ruth,Klavin,Rask Events,SUBSCRIBED,
sven@klv.example,01GDB,Sven,Klavnever,,NEVER_SUBSCRIBED,
ulf@klv.example,01GDC,Ulf,Klavout,,UNSUBSCRIBED,"[""UNSUBSCRIBE""]"
""",
    ("hub", "contacts.csv"): """\
Record ID,First Name,Last Name,Email,Marketing contact status,Unsubscribed from all email,Lifecycle Stage
501,Carl,Hubin,carl@hub.example,Marketing contact,No,lead
502,Jora,Hubout,jora@hub.example,Non-marketing contact,Yes,
503,Tove,Hubtrue,tove@hub.example,,true,
""",
    ("report", "report.csv"): """\
First Name,Last Name,Account Name,Mailing Street,Mailing City,Email,Email Opt Out
Elin,Reportout,Ek Events,Gatan 1,Stockholm,elin@report.example,1
Finn,Reportin,Fors Live,,,finn@report.example,0

"My Contacts Report"
"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."
"Confidential Information - Do Not Distribute"
""",
    ("loader", "success.csv"): """\
"ID","FIRSTNAME","LASTNAME","EMAIL","HASOPTEDOUTOFEMAIL","LASTMODIFIEDDATE","STATUS"
"","Gerd","Loadout","gerd@load.example","true","2026-01-15T08:30:00.000+0000","Item Updated"
"","","Loadin","lo@load.example","false","2026-01-15T08:30:00.000Z","Item Updated"
""",
    ("dyn", "dynamics.csv"): """\
(Do Not Modify) Contact,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,Full Name,Email,Company Name,Do not allow Bulk Emails,Status
1f2e3d4c-0000-0000-0000-000000000011,abc==,1/15/2026 8:30,Frieda Dynout,frieda@dyn.example,Dyn Corp,Do Not Allow,Active
1f2e3d4c-0000-0000-0000-000000000012,abd==,1/15/2026 8:30,Omar Dynin,omar@dyn.example,Dyn Corp,Allow,Active
""",
    ("shop", "customers_export.csv"): """\
Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address City,Default Address Country Code,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags
'7210448301122,Theo,Shopout,theo@shop.example,no,Villa Ranch,Elko,US,,no,7790.44,6,,yes,retail
'7210448301123,Holly,Shopin,holly@shop.example,yes,,Ogden,US,,no,154.29,2,,no,retail
""",
}  # fmt: skip

CONTACTS = {
    "Plainout": True, "Plainin": False,
    "Klavin": False, "Klavnever": True, "Klavout": True,
    "Hubin": False, "Hubout": True, "Hubtrue": True,
    "Reportout": True, "Reportin": False,
    "Loadout": True, "Loadin": False,
    "Dynout": True, "Dynin": False,
    "Shopout": True, "Shopin": False,
}  # fmt: skip
LEADS = {"Chimpin": False, "Chimpout": True, "Chimpclean": True}


def test_what_exports_say_of_mail_is_what_the_org_holds(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    for (source, file), text in FILES.items():
        chain.put(source, DAY, file, text)
    chain.done(DAY)
    for object_name, expected in (("Contact", CONTACTS), ("Lead", LEADS)):
        rows = chain.records(object_name, "LastName", "HasOptedOutOfEmail", "DoNotCall")
        assert {row["LastName"]: row["HasOptedOutOfEmail"] for row in rows} == expected
        assert [row["LastName"] for row in rows if row["DoNotCall"]] == (
            ["Plainout"] if object_name == "Contact" else []
        )
    stamps = chain.stamps()
    chain.done(DAY)
    assert chain.stamps() == stamps
