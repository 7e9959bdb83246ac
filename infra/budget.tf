# An alert when the project spends more than an amount in a month. Budgets belong to the billing account.
resource "google_billing_budget" "this" {
  count           = var.budget == null ? 0 : 1
  billing_account = var.budget.billing_account
  display_name    = "${var.name}: ${var.project_id}"

  budget_filter {
    projects = ["projects/${local.project_number}"]
  }
  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(var.budget.amount)
    }
  }
  dynamic "threshold_rules" {
    for_each = var.budget.thresholds
    content {
      threshold_percent = threshold_rules.value
    }
  }
  # Without a channel, those who administer the billing account get the mail.
  dynamic "all_updates_rule" {
    for_each = length(var.alerts.notification_channels) == 0 ? [] : [var.alerts.notification_channels]
    content {
      monitoring_notification_channels = all_updates_rule.value
    }
  }

  depends_on = [google_project_service.this]
}
