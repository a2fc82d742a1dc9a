-- What the local org is measured with: contacts of 15 columns and the accounts they belong to.
-- Reads the variable `contacts`, how many there are.

create temp view accounts as
select
    range as person,
    'a-' || range // 10 as "Causeway_Key__c",
    'Account ' || range // 10 as "Name"
from range(getvariable('contacts'))
where range % 10 = 0;

create temp view created as
select
    range as person,
    'p-' || md5(range::varchar) as "Causeway_Key__c",
    'a-' || range // 10 as "Account.Causeway_Key__c",
    ['Ada', 'Camille', 'Dmitri', 'José', 'Mei', 'Søren'][1 + range % 6] as "FirstName",
    'Person ' || range as "LastName",
    'person' || range || '@example.org' as "Email",
    '+1 415 ' || lpad((range % 10000000)::varchar, 7, '0') as "Phone",
    '+1 628 ' || lpad((range * 7 % 10000000)::varchar, 7, '0') as "MobilePhone",
    ['Engineer', 'Head of Sales', 'Buyer', ''][1 + range % 4] as "Title",
    ['Research', '', 'Purchasing'][1 + range % 3] as "Department",
    range % 9999 || ' Market Street' as "MailingStreet",
    ['San Francisco', 'Portland', 'Reno'][1 + range % 3] as "MailingCity",
    lpad((range % 99999)::varchar, 5, '0') as "MailingPostalCode",
    date '1950-01-01' + (range % 20000)::integer as "Birthdate",
    ['Web', 'Other', 'Partner Referral'][1 + range % 3] as "LeadSource",
    range % 5 = 0 as "HasOptedOutOfEmail"
from range(getvariable('contacts'));

create temp view changed as
select * replace ("Title" || ' II' as "Title", "Phone" || '0' as "Phone")
from created;
