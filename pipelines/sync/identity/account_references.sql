-- Names that mean an account whose key was minted from another name.
insert into config_account_references
select account_reference.reference, account_spelling(account.account, account.spelling)
from state.account_reference as account_reference
join state.account as account on account.account = account_reference.account;
