// What people do with jsforce, against the org whose addresses and secrets come as JSON on stdin.
// Prints one JSON object: what each step saw. Any error ends the process with its text.
const fs = require("fs");
const { createRequire } = require("module");
const jsforce = createRequire(process.argv[2] + "/")("jsforce");

const org = JSON.parse(fs.readFileSync(0, "utf8"));
const oauth2 = {
  loginUrl: org.http_url,
  clientId: org.client_id,
  clientSecret: org.client_secret,
};

async function main() {
  const seen = {};
  const soap = new jsforce.Connection({ loginUrl: org.http_url, version: "50.0" });
  seen.soapLogin = await soap.login(org.username, org.password + org.security_token);
  seen.identity = (await soap.identity()).username;
  const conn = new jsforce.Connection({ version: "67.0", oauth2, instanceUrl: org.http_url });
  await conn.authorize({ grant_type: "client_credentials" });

  const account = await conn.sobject("Account").create({ Name: "Acme" });
  await conn.sobject("Account").update({ Id: account.id, Phone: "1" });
  seen.phone = (await conn.sobject("Account").retrieve(account.id)).Phone;
  const many = [...Array(450).keys()].map((n) => ({ LastName: `L${n}`, AccountId: account.id }));
  const made = await conn.sobject("Contact").create(many, { allowRecursive: true });
  seen.createdMany = made.filter((one) => one.success).length;
  const keyed = ["k1", "k1", "k2"].map((key) => ({ Causeway_Key__c: key, LastName: "K" }));
  seen.upserted = [];
  for (const record of keyed) {
    const one = await conn.sobject("Contact").upsert(record, "Causeway_Key__c");
    seen.upserted.push(one.created);
  }
  seen.fetched = await new Promise((resolve, reject) => {
    let count = 0;
    conn
      .query("SELECT Id, Account.Name FROM Contact")
      .on("record", () => (count += 1))
      .on("end", () => resolve(count))
      .on("error", reject)
      .run({ autoFetch: true, maxFetch: 10000 });
  });
  seen.described = (await conn.sobject("Contact").describe()).fields.map((f) => f.name);
  seen.objects = (await conn.describeGlobal()).sobjects.map((object) => object.name);
  const both = await conn.sobject("Contact").upsert(
    [{ Causeway_Key__c: "k2", Title: "x" }, { Causeway_Key__c: "k3", LastName: "K" }],
    "Causeway_Key__c",
    { allOrNone: true }
  );
  seen.upsertedMany = both.map((one) => one.created);
  const page = await conn.query("SELECT Id FROM Contact", { autoFetch: false });
  seen.page = [page.totalSize, page.records.length, page.done];
  seen.limit = conn.limitInfo.apiUsage.limit;
  try {
    await conn.sobject("Contact").create({ FirstName: "nameless" });
  } catch (error) {
    seen.refused = [error.errorCode, error.data.fields];
  }
  try {
    await conn.query("SELECT Nope FROM Contact");
  } catch (error) {
    seen.misasked = error.errorCode;
  }

  conn.bulk2.pollInterval = 100;
  conn.bulk2.pollTimeout = 30000;
  const bulk = await conn.bulk2.loadAndWaitForResults({
    object: "Contact",
    operation: "upsert",
    externalIdFieldName: "Causeway_Key__c",
    input: [
      { Causeway_Key__c: "b1", LastName: "Bulk", Phone: null },
      { Causeway_Key__c: "b2", LastName: "" },
    ],
  });
  seen.bulkGood = bulk.successfulResults.map((row) => row.Causeway_Key__c);
  seen.bulkBad = bulk.failedResults.map((row) => row.sf__Error);
  const rows = await (await conn.bulk2.query("SELECT Id FROM Contact")).toArray();
  seen.bulkQuery = rows.length;

  conn.bulk.pollInterval = 100;
  conn.bulk.pollTimeout = 30000;
  const classic = await conn.bulk.load("Contact", "upsert", { extIdField: "Causeway_Key__c" }, [
    { Causeway_Key__c: "b1", LastName: "Older", DoNotCall: true },
    { Causeway_Key__c: "b3", LastName: null },
  ]);
  seen.classic = classic.map((row) => [row.success, row.created, row.errors]);
  const soql = "SELECT LastName, DoNotCall FROM Contact WHERE Causeway_Key__c = 'b1'";
  seen.classicQuery = await (await conn.bulk.query(soql)).toArray();
  const aborted = conn.bulk.createJob("Contact", "insert");
  await aborted.open();
  seen.aborted = (await aborted.abort()).state;

  const lead = await conn.sobject("Lead").create({ LastName: "X", Company: "Y" });
  const converted = await soap.soap.convertLead({
    leadId: lead.id,
    convertedStatus: "Closed - Converted",
    doNotCreateOpportunity: true,
  });
  seen.converted = converted.success;
  const other = await conn.sobject("Account").create({ Name: "Acme too" });
  const merged = await soap.soap.merge({
    masterRecord: { type: "Account", Id: account.id },
    recordToMergeIds: [other.id],
  });
  seen.merged = merged.mergedRecordIds.length;
  const doomed = await conn.sobject("Contact").find({ LastName: "K" }, "Id");
  const gone = await conn.sobject("Contact").destroy(doomed.map((record) => record.Id));
  seen.destroyed = gone.filter((one) => one.success).length;
  seen.timestamp = (await soap.soap.getServerTimestamp()).timestamp;
  seen.token = soap.accessToken;
  await soap.logout();
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
