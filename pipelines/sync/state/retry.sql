-- Refused rows that somebody wants to be sent again: without a digest nothing keeps them back.
update state.outcome
set digest = null
where
    organization_id is not distinct from getvariable('organization')
    and digest is not null
    and (getvariable('object') is null or lower(object) = lower(getvariable('object')))
    and (getvariable('code') is null or code = getvariable('code'))
returning object;
