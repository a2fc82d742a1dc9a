"""One row of each export, with the columns and the manners of the system that writes it.

The Magento columns are exact. Winmo and Apptivo publish no header: those two are invented.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from pipelines.demo.people import COMPANIES, Person

Row = dict[str, str]

SECRET = "d3m0-s3cr3t:2f0c9e:2"  # noqa: S105 - planted: it must be found nowhere but in the inbox

WINMO = (
    "Contact ID", "List", "First Name", "Last Name", "Title", "Company", "Company Type", "Brand",
    "Email", "Direct Phone", "Main Phone", "Address 1", "Address 2", "City", "State", "Zip Code",
    "Country", "LinkedIn", "Last Updated",
)  # fmt: skip

APPTIVO = (
    "First Name", "Last Name", "Job Title", "Customer", "Category", "Phone Number",
    "Email Address", "Address Line 1", "City", "State", "Zip Code", "Country", "Assignee", "Tags",
)  # fmt: skip

CUSTOMER = (
    "email", "_website", "_store", "confirmation", "created_at", "created_in",
    "disable_auto_group_change", "dob", "firstname", "gender", "group_id", "lastname",
    "middlename", "password_hash", "prefix", "reward_update_notification",
    "reward_warning_notification", "rp_token", "rp_token_created_at", "store_id", "suffix",
    "taxvat", "updated_at", "website_id", "password",
)  # fmt: skip

CUSTOMER_ADDRESS = (
    "_website", "_email", "_entity_id", "city", "company", "country_id", "fax", "firstname",
    "lastname", "middlename", "postcode", "prefix", "region", "region_id", "street", "suffix",
    "telephone", "vat_id", "vat_is_valid", "vat_request_date", "vat_request_id",
    "vat_request_success", "_address_default_billing_", "_address_default_shipping_",
)  # fmt: skip

SUBSCRIBER = (
    "subscriber_id", "store_id", "change_status_at", "customer_id", "subscriber_email",
    "subscriber_status", "subscriber_confirm_code",
)  # fmt: skip

ORDER = (
    "entity_id", "increment_id", "state", "status", "customer_id", "customer_is_guest",
    "customer_email", "customer_firstname", "customer_lastname", "customer_group_id",
    "grand_total", "created_at", "updated_at",
)  # fmt: skip

ORDER_ADDRESS = (
    "parent_id", "address_type", "firstname", "lastname", "company", "street", "city", "region",
    "postcode", "country_id", "telephone", "email",
)  # fmt: skip


def changed(person: Person, day: date) -> str:
    """When a record of that day's export was last touched: around noon of the day before."""
    noon = datetime.combine(day - timedelta(days=1), time(12))
    return (noon + timedelta(minutes=person.number)).strftime("%Y-%m-%d %H:%M:%S")


def customer_id(person: Person) -> str:
    """The shop's id of a registered customer."""
    return str(1000 + person.number)


def shopper_email(person: Person) -> str:
    """What the shop knows: customers who are business contacts too used their work address."""
    return person.email if person.number < 55 else person.private_email


def winmo(person: Person, day: date) -> Row:
    """A row of a contact-list export."""
    company = person.company
    return {
        "Contact ID": f"W{40000 + person.number}",
        "List": "Agency New Business" if company.kind == "agency" else "Brand Marketers",
        "First Name": person.first,
        "Last Name": person.last,
        "Title": person.title,
        "Company": company.name,
        "Company Type": company.kind,
        "Email": person.email,
        "Direct Phone": person.phone,
        "Main Phone": f"+1 {company.area_code} 555 0100",
        "Address 1": company.street,
        "City": company.city,
        "State": company.state,
        "Zip Code": company.zip_code,
        "Country": "United States",
        "Last Updated": changed(person, day),
    }


def apptivo(person: Person) -> Row:
    """A row of a contacts import file, typed by hand: other spellings, stray blanks, capitals."""
    company = person.company
    email = f" {person.email.title()}" if person.number % 2 else f"{person.email.upper()} "
    return {
        "First Name": person.first,
        "Last Name": person.last,
        "Job Title": person.title,
        "Customer": company.spellings[person.number // len(COMPANIES) % len(company.spellings)],
        "Category": "Partner" if company.kind == "agency" else "Prospect",
        "Phone Number": person.phone.removeprefix("+1 ").replace(" ", "-"),
        "Email Address": email,
        "Address Line 1": company.street,
        "City": company.city,
        "State": company.state,
        "Zip Code": company.zip_code,
        "Country": "United States",
        "Assignee": "Robin Sales",
        "Tags": "fair 2026",
    }


def customer(person: Person, day: date) -> Row:
    """A row of Magento's "Customers Main File", secrets included, as it really exports them."""
    return {
        "email": shopper_email(person),
        "_website": "base",
        "_store": "default",
        "created_at": f"{day - timedelta(days=30 + person.number)} 09:30:00",
        "created_in": "Default Store View",
        "disable_auto_group_change": "0",
        "dob": person.birthday,
        "firstname": person.first,
        "group_id": "2" if person.number % 3 == 0 else "1",
        "lastname": person.last,
        "password_hash": SECRET,
        "rp_token": f"{SECRET}-{person.number}",
        "rp_token_created_at": changed(person, day),
        "store_id": "1",
        "updated_at": changed(person, day),
        "website_id": "1",
    }


def customer_address(person: Person, use: str) -> Row:
    """A row of Magento's "Customer Addresses"; ``use`` is ``billing``, ``shipping`` or ``both``."""
    place = person.company
    at_work = use == "billing" and person.number % 3 == 0  # wholesale customers are billed there
    street = place.street if at_work else person.street
    return {
        "_website": "base",
        "_email": shopper_email(person),
        "_entity_id": str(2 * person.number + (use == "shipping")),
        "city": place.city,
        "company": place.name if at_work else "",
        "country_id": "US",
        "firstname": person.first,
        "lastname": person.last,
        "postcode": place.zip_code,
        "region": place.state,
        "street": f"{street}\nApt. {person.number}" if person.number % 5 == 0 else street,
        "telephone": person.phone,
        "_address_default_billing_": "1" if use in ("billing", "both") else "",
        "_address_default_shipping_": "1" if use in ("shipping", "both") else "",
    }


def subscriber(person: Person, day: date, status: int, email: str, registered: bool) -> Row:
    """A row of the table ``newsletter_subscriber``."""
    return {
        "subscriber_id": str(500 + person.number),
        "store_id": "1",
        "change_status_at": changed(person, day),
        "customer_id": customer_id(person) if registered else "0",
        "subscriber_email": email,
        "subscriber_status": str(status),
        "subscriber_confirm_code": f"{SECRET}-c{person.number}",
    }


def order(person: Person, day: date, number: int, registered: bool) -> Row:
    """A row of the table ``sales_order``."""
    done = number % 4 != 0
    return {
        "entity_id": str(number),
        "increment_id": f"{100000000 + number}",
        "state": "complete" if done else "processing",
        "status": "complete" if done else "processing",
        "customer_id": customer_id(person) if registered else "",
        "customer_is_guest": "0" if registered else "1",
        "customer_email": shopper_email(person),
        "customer_firstname": person.first,
        "customer_lastname": person.last,
        "customer_group_id": "1" if registered else "0",
        "grand_total": f"{19 + 13.5 * (number % 17):.4f}",
        "created_at": changed(person, day),
        "updated_at": changed(person, day),
    }


def order_address(person: Person, number: int, address_type: str) -> Row:
    """A row of the table ``sales_order_address``."""
    address = customer_address(person, "both")
    return {
        "parent_id": str(number),
        "address_type": address_type,
        "email": shopper_email(person),
        **{name: address[name] for name in ORDER_ADDRESS if name in address},
    }
