#include "account/account.h"

#define ROW(member, field, column, taker, rare, later) {column, taker, rare, later},

const hlrp_account_field hlrp_account_fields[HLRP_ACCOUNT_FIELDS] = {HLRP_ACCOUNT(ROW)};

#define TAKE(member, field, column, taker, rare, later)                                            \
    numbers[HLRP_ACCOUNT_##field] = account->member;

void hlrp_account_numbers(const hlrp_account *account, double numbers[HLRP_ACCOUNT_FIELDS]) {
    HLRP_ACCOUNT(TAKE)
}
