BEGIN TRANSACTION;
CREATE TABLE "Account" (id INTEGER NOT NULL, "Name" VARCHAR(255), "Causeway_Key__c" VARCHAR(255), "NumberOfEmployees" VARCHAR(255), PRIMARY KEY (id));
CREATE TABLE "Contact" (id INTEGER NOT NULL, "Causeway_Key__c" VARCHAR(255), "LastName" VARCHAR(255), "Email" VARCHAR(255), "Birthdate" VARCHAR(255), "HasOptedOutOfEmail" VARCHAR(255), "AccountId" VARCHAR(255), PRIMARY KEY (id));
INSERT INTO "Contact" VALUES(1,'c-90','Refused','no address','','false','');
COMMIT;
