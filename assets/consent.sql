-- What a cell says of consent, by the kind of its column (`pipelines/sources/consent.py`) and by its
-- words. Words are compared without case, accents and signs, in the languages of the headers.

-- A cell as it is looked up: what was ticked is a yes, an empty list of reasons is a no.
create or replace macro consent_word(x) as
    case
        when regexp_full_match(x, '\s*[✓✔☑√✅]\x{fe0f}?\s*') then 'yes'
        when regexp_full_match(x, '\s*[✗✘☐❌✕]\x{fe0f}?\s*|\s*(\[\s*\]|\{\s*\})\s*') then 'no'
        when regexp_full_match(x, '\s*-?[01][.,]0+\s*') then regexp_extract(x, '[01]')
        else norm_text(translate(x, 'łŁøØ', 'lLoO'))
    end;

create or replace macro consent_yes() as [
    'yes', 'y', 'true', 't', '1', 'on', 'x', 'checked', 'selected', 'ticked', 'ok', 'okay', 'enabled',
    'ja', 'j', 'wahr', 'oui', 'o', 'vrai', 'coche', 'si', 's', 'verdadero', 'cierto', 'vero', 'sim',
    'verdadeiro', 'waar', 'sant', 'sann', 'tak', 'prawda'
];

create or replace macro consent_no() as [
    'no', 'n', 'false', 'f', '0', 'off', 'unchecked', 'unticked', 'disabled', 'nein', 'falsch', 'non',
    'faux', 'falso', 'nao', 'nee', 'onwaar', 'nej', 'falskt', 'nie', 'falsz'
];

-- Words that say yes to mail, whatever column they stand in.
create or replace macro consent_in() as [
    'subscribed', 'subscribe', 'subscriber', 'resubscribed', 'active', 'opted in', 'opt in', 'optin', 'opted',
    'double opt in', 'single opt in', 'confirmed', 'confirmed opt in', 'allow', 'allowed', 'granted',
    'given', 'agreed', 'agree', 'i agree', 'accepted', 'accept', 'consented', 'consent', 'consent given',
    'i consent', 'permitted', 'express', 'explicit', 'express consent', 'explicit consent', 'implied',
    'implied consent', 'eingewilligt', 'zugestimmt', 'angemeldet', 'abonniert', 'erteilt', 'erlaubt',
    'inscrit', 'abonne', 'accepte', 'autorise', 'suscrito', 'aceptado', 'autorizado', 'iscritto',
    'accettato', 'autorizzato', 'inscrito', 'aceito', 'aceite', 'ingeschreven', 'aangemeld', 'akkoord',
    'prenumererar', 'godkand', 'zapisany', 'zapisana', 'subskrybowany', 'subskrybuje'
];

-- Words that say no, whatever column they stand in.
create or replace macro consent_out() as [
    'unsubscribed', 'unsubscribe', 'unsubscribes', 'unsubbed', 'opted out', 'opt out', 'optout', 'opted out of email',
    'cleaned', 'bounced', 'bounce', 'hard bounce', 'hard bounced', 'hardbounce', 'soft bounced',
    'suppressed', 'suppression', 'complained', 'complaint', 'spam complaint', 'spam', 'spam report',
    'marked as spam', 'junk', 'abuse', 'abuse complaint', 'reported spam', 'blocked', 'blacklisted',
    'blocklisted', 'banned', 'invalid', 'invalid email', 'undeliverable', 'undelivered', 'removed',
    'do not allow', 'not allowed', 'disallow', 'disallowed', 'do not email', 'do not mail',
    'do not contact', 'do not send', 'denied', 'declined', 'rejected', 'refused', 'revoked',
    'withdrawn', 'objected', 'never', 'not interested', 'no consent', 'not consented', 'not subscribed by request',
    'user suppressed', 'manually suppressed', 'archived', 'globally unsubscribed', 'inactive',
    'abgemeldet', 'ausgetragen', 'abbestellt', 'widerrufen', 'widersprochen', 'gesperrt', 'abgelehnt',
    'verweigert', 'nicht erlaubt', 'desabonne', 'desinscrit', 'refuse', 'oppose', 'retire', 'desuscrito',
    'baja', 'dado de baja', 'rechazado', 'cancelado', 'revocado', 'disiscritto', 'cancellato',
    'rifiutato', 'revocato', 'descadastrado', 'recusado', 'removido', 'afgemeld', 'uitgeschreven',
    'geweigerd', 'geblokkeerd', 'avregistrerad', 'avanmald', 'nekad', 'wypisany', 'wypisana',
    'zrezygnowal', 'odmowa', 'wycofana', 'unzustellbar'
];

-- Words of somebody who was never asked, or has not answered: no yes, and no refusal.
create or replace macro consent_pending() as [
    'pending', 'pending confirmation', 'unconfirmed', 'not confirmed', 'awaiting confirmation', 'awaiting', 'waiting',
    'confirmation pending', 'non subscribed', 'nonsubscribed', 'not subscribed', 'never subscribed',
    'neversubscribed', 'not activated', 'transactional', 'not set', 'no permissions set', 'unset', 'undecided',
    'non marketing contact', 'non marketing', 'double opt in pending', 'not asked', 'requested', 'new', 'invited',
    'ausstehend', 'unbestatigt', 'nicht bestatigt', 'offen', 'en attente', 'non confirme', 'pendiente',
    'sin confirmar', 'in attesa', 'non confermato', 'pendente', 'nao confirmado', 'in afwachting',
    'niet bevestigd', 'vantar', 'obekraftad', 'oczekujacy', 'niepotwierdzony'
];

-- Words beside a newsletter's status that say nothing of consent.
create or replace macro consent_none() as ['marketing contact', 'marketing'];

-- What a word says in a column in which a yes is a yes to mail: in, out, pending, none or unreadable.
create or replace macro says_in(word) as
    case
        when list_contains(consent_yes(), word) or list_contains(consent_in(), word) then 'in'
        when list_contains(consent_no(), word) or list_contains(consent_out(), word) then 'out'
        when list_contains(consent_pending(), word) then 'pending'
        when list_contains(consent_none(), word) then 'none'
        -- A whole sentence, as forms print what was ticked: only its refusal is taken at its word.
        when regexp_matches(word, '^(no|non|nein|nao|nej|nee|nie|not|dont|do not|i do not|never) ') then 'out'
        when regexp_matches(word, '^(yes|ja|oui|sim|tak) ')
            and not regexp_matches(word, '\b(no|not|dont|unsubscri|unsubscribe|stop|kein|keine|nicht|pas|niet|inte|nie|non)\b')
            then 'in'
        else 'unreadable'
    end;

-- What it says in a column in which a yes is a no to mail; nothing there is ever a yes to mail.
create or replace macro says_out(word) as
    case
        when list_contains(consent_yes(), word) or list_contains(consent_out(), word) then 'out'
        when list_contains(consent_no(), word) or list_contains(consent_in(), word) then 'none'
        when list_contains(consent_pending(), word) then 'pending'
        when regexp_matches(word, '^(yes|ja|oui|sim|tak) ') then 'out'
        else 'unreadable'
    end;

-- Several words in one cell, as a list or apart by signs: one refusal among them is one.
create or replace macro says_refusal(x) as
    list_has_any(
        list_transform(string_split_regex(x, '[;,|/\["\]]+'), lambda part: norm_text(part)),
        consent_out()
    );

create or replace macro is_datelike(x) as
    regexp_matches(x, '[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}|[0-9]{4}-[0-9]{2}|[12][0-9]{3}$');

-- What a cell says, `moment` being the one that stands in it: in, out, pending, unreadable, none; time for a moment of what else the row says.
create or replace macro consent_says(kind, x, word, moment) as
    case
        when kind = 'left_list' then 'out'
        when kind = 'consent_time' and moment is not null then 'time'
        when kind in ('opt_in_time', 'opt_in', 'call_opt_in', 'consent_time')
            then case
                when moment is not null then 'in'
                -- A date of which the day or the year is not clear is one all the same.
                when is_datelike(x) then if(kind = 'consent_time', 'none', 'in')
                when says_refusal(x) then 'out'
                else says_in(word)
            end
        when kind in ('opt_out_cause', 'opt_out_time')
            then if(list_contains(consent_no(), word), 'none', 'out')
        when kind = 'any_status'
            then case
                when says_refusal(x) and word not in ('inactive', 'invalid', 'archived', 'cancelado',
                    'never', 'removed', 'rejected', 'declined', 'denied', 'refused', 'blocked') then 'out'
                when word in ('subscribed', 'opted in') then 'in'
                when word in ('non subscribed', 'never subscribed', 'unconfirmed', 'pending confirmation') then 'pending'
                else 'none'
            end
        when moment is not null or is_datelike(x) or says_refusal(x) then 'out'
        else says_out(word)
    end;

create or replace macro consent_cell(cell) as {
    'header': cell.header,
    'value': cell.value,
    'channels': case
        when cell.kind in ('call_opt_out', 'call_opt_in') then ['call']
        when cell.kind = 'contact_opt_out' then ['email', 'call']
        else ['email']
    end,
    'says': consent_says(cell.kind, cell.value, cell.word, cell.moment),
    'at': cell.moment
};

-- Every cell of a row that speaks of consent, read; `cells` as they landed. A moment of which the
-- day is not clear, or that lies in the future of the landing (see recency), is none. One step after
-- the other, as a macro's text stands in the SQL once for each place that reads its argument.
create or replace macro consent_cells(cells, day_first, zone, loaded_at) as
    case
        when cells is not null
            then list_transform(
                list_transform(
                    list_transform(
                        list_transform(
                            from_json(cells, '[{"header": "VARCHAR", "kind": "VARCHAR", "value": "VARCHAR"}]'),
                            lambda cell: struct_insert(
                                cell,
                                word := coalesce(consent_word(cell.value), ''),
                                date := date_text(cell.value)
                            )
                        ),
                        lambda cell: struct_insert(
                            cell, written := parse_timestamp(cell.date, day_first, zone)
                        )
                    ),
                    lambda cell: struct_insert(
                        cell,
                        moment := case
                            when cell.written <= cast(loaded_at as timestamp) + interval 1 day then cell.written
                        end
                    )
                ),
                lambda cell: consent_cell(cell)
            )
    end;

-- The status of a subscriber whose file has none: what the cells say together; null where nothing.
create or replace macro consent_status(cells) as
    case
        when list_contains(list_transform(cells, lambda cell: cell.says), 'out') then 'unsubscribed'
        when list_has_any(list_transform(cells, lambda cell: cell.says), ['pending', 'unreadable'])
            then 'unconfirmed'
        when list_has_any(list_transform(cells, lambda cell: cell.says), ['in', 'time'])
            then 'subscribed'
        -- An opt-out column that is blank or says no tells of nobody who left.
        when cells is not null then 'not_activated'
    end;

-- The status of a subscriber as such a cell.
create or replace macro consent_of_status(status, status_text, moment) as {
    'header': 'status',
    'value': status_text,
    'channels': ['email'],
    'says': case status
        when 'subscribed' then 'in' when 'unsubscribed' then 'out' else 'pending'
    end,
    'at': moment
};
