BEGIN TRANSACTION;
CREATE TABLE "Contact" (id INTEGER NOT NULL, "Causeway_Key__c" VARCHAR(255), "LastName" VARCHAR(255), "Email" VARCHAR(255), "Birthdate" VARCHAR(255), "HasOptedOutOfEmail" VARCHAR(255), PRIMARY KEY (id));
INSERT INTO "Contact" VALUES(1,'c-1','Itoh','mei@x.org','1990-05-06','true');
INSERT INTO "Contact" VALUES(2,'c-6','New','new@x.org','','false');
INSERT INTO "Contact" VALUES(3,'c-7','Newer','newer@x.org','','false');
COMMIT;
