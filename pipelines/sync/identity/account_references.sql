-- Names that mean an account whose key was minted from another name.
insert into config_account_references
select known.reference, account_spelling(account.account, account.spelling)
from state.account_reference as known
join state.account as account on account.account = known.account;
